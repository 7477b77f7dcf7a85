package dev.corral.guardmodels.image;

/**
 * A decoded image.
 *
 * @param width in pixels, at least 1
 * @param height in pixels, at least 1
 * @param rgb {@code height * width * 3} bytes, row by row: red, green and blue of each pixel. Not copied, and not to be
 *     written to
 */
@SuppressWarnings("ArrayRecordComponent") // tens of megabytes; whoever wants to compare hashes
public record RgbImage(int width, int height, byte[] rgb) {

    static final int CHANNELS = 3;

    public RgbImage {
        if (width < 1 || height < 1 || rgb.length != (long) width * height * CHANNELS) {
            throw new IllegalArgumentException(
                    "an image of " + width + " by " + height + " pixels does not have " + rgb.length + " bytes");
        }
    }
}
