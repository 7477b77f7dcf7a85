package dev.corral.clients;

import java.util.Base64;

/** A picture. */
final class Pixel {

    /** A PNG of one pixel. */
    static final String BASE64 =
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    private Pixel() {}

    static byte[] bytes() {
        return Base64.getDecoder().decode(BASE64);
    }
}
