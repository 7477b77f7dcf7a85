package dev.corral.gateway.image;

import dev.corral.guardmodels.conversation.Image;
import java.util.Base64;
import java.util.Locale;

/**
 * Images inside of a request, {@code data:image/png;base64,...} (RFC 2397).
 *
 * <p>Base64 is read in its strict form only: the alphabet of RFC 4648, padded, nothing else. Lenient readers differ in what
 * they skip, and would then see another file than the guard.
 */
final class DataUri {

    private static final String SCHEME = "data:";
    private static final String BASE64 = ";base64";
    /** What dialects write whose images have no type. */
    private static final String ANY = "application/octet-stream";

    private static final int QUANTUM = 4;

    private DataUri() {}

    static boolean is(String url) {
        return url.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
    }

    /** The file, or why there is none. */
    static Image read(String url) {
        int comma = url.indexOf(',');
        if (comma < 0) {
            return unavailable("has no comma before its data");
        }
        String type = url.substring(SCHEME.length(), comma).toLowerCase(Locale.ROOT);
        if (!type.startsWith("image/") && !type.startsWith(ANY)) {
            return unavailable("does not say that it is an image, such as data:image/png;base64,...");
        }
        if (!type.endsWith(BASE64)) {
            return unavailable("is not in base64; write data:image/png;base64,...");
        }
        int length = url.length() - comma - 1;
        if (length == 0) {
            return unavailable("is empty");
        }
        if (length % QUANTUM != 0) {
            return unavailable(
                    "is not in strict base64: its length is no multiple of four; pad it with '=', and leave out"
                            + " white space");
        }
        try {
            return Image.File.of(Base64.getDecoder().decode(url.substring(comma + 1)));
        } catch (IllegalArgumentException _) {
            return unavailable(
                    "is not in strict base64: use only A to Z, a to z, 0 to 9, '+' and '/', padded with '=', and"
                            + " no white space");
        }
    }

    /** An address that is this file. */
    static String of(String mediaType, byte[] file) {
        return SCHEME + mediaType + BASE64 + "," + Base64.getEncoder().encodeToString(file);
    }

    private static Image unavailable(String why) {
        return new Image.Unavailable("its data: address " + why);
    }
}
