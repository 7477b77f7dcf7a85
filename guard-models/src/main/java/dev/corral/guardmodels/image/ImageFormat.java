package dev.corral.guardmodels.image;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** A file format that can be decoded here, told by a file's first bytes as every reader of images tells it. */
public enum ImageFormat {
    PNG("image/png", "\u0089PNG\r\n\u001a\n"),
    JPEG("image/jpeg", "\u00ff\u00d8\u00ff"),
    GIF("image/gif", "GIF8"),
    WEBP("image/webp", "RIFF") {
        @Override
        boolean matches(byte[] file) {
            return super.matches(file) && startsWith(file, 8, "WEBP");
        }
    },
    BMP("image/bmp", "BM");

    private final String mediaType;
    private final String magic;

    ImageFormat(String mediaType, String magic) {
        this.mediaType = mediaType;
        this.magic = magic;
    }

    /** Such as {@code image/png}. */
    public String mediaType() {
        return mediaType;
    }

    /** What a file is; empty where it is nothing that can be decoded here. */
    public static Optional<ImageFormat> of(byte[] file) {
        return Arrays.stream(values()).filter(format -> format.matches(file)).findFirst();
    }

    boolean matches(byte[] file) {
        return startsWith(file, 0, magic);
    }

    /** Whether these characters, a byte each, stand there. */
    static boolean startsWith(byte[] file, int from, String characters) {
        byte[] expected = characters.getBytes(StandardCharsets.ISO_8859_1);
        return file.length - from >= expected.length
                && Arrays.equals(file, from, from + expected.length, expected, 0, expected.length);
    }
}
