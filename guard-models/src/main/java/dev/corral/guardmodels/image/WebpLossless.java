package dev.corral.guardmodels.image;

import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Lossless pictures of WebP: TwelveMonkeys' reader unpacks a file that has nothing but one. */
final class WebpLossless {

    private static final int HEADERS = 20;

    private WebpLossless() {}

    /**
     * Decodes one.
     *
     * @param picture the data of its chunk {@code VP8L}
     */
    static Pixels decode(byte[] picture) throws UndecodableException {
        int padding = picture.length & 1;
        byte[] file = ByteBuffer.allocate(HEADERS + picture.length + padding)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(ascii("RIFF"))
                .putInt(HEADERS - 8 + picture.length + padding)
                .put(ascii("WEBPVP8L"))
                .putInt(picture.length)
                .put(picture)
                .array();
        try (Library webp = Library.of(new WebPImageReaderSpi(), file)) {
            return Pixels.of(webp.image(0));
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
