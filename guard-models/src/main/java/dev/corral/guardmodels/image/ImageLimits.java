package dev.corral.guardmodels.image;

/**
 * What is decoded at most. Time is bounded by these, and by whoever interrupts.
 *
 * @param maxPixels of one file, all frames together; a pixel takes 3 bytes once it is decoded, and up to 11 while it is
 * @param maxFrames of an animation
 */
public record ImageLimits(long maxPixels, int maxFrames) {

    /** Room for a photo of 24 megapixels, or an animation of 32 frames of 800 by 900 pixels. */
    public static final ImageLimits DEFAULT = new ImageLimits(25_000_000, 32);

    /** So that an array can hold three channels. */
    private static final long MOST_PIXELS = 500_000_000;

    public ImageLimits {
        if (maxPixels < 1 || maxPixels > MOST_PIXELS) {
            throw new IllegalArgumentException(
                    "the limit of pixels must be between 1 and " + MOST_PIXELS + ": " + maxPixels);
        }
        if (maxFrames < 1) {
            throw new IllegalArgumentException("the limit of frames must be at least 1: " + maxFrames);
        }
    }

    /** Checks a size that a header promises, before anything is reserved for it. */
    void check(long width, long height, long frames) throws UndecodableException {
        if (width < 1 || height < 1) {
            throw UndecodableException.corrupt("its size is " + width + " by " + height + " pixels");
        }
        if (frames > maxFrames) {
            throw UndecodableException.tooLarge(
                    "it has " + (frames == maxFrames + 1L ? "more than " + maxFrames : frames) + " frames, and at most "
                            + maxFrames + " are judged");
        }
        // neither product can overflow: headers have 32 bits for a side at most, and then the first division decides
        if (width > maxPixels / height || width * height > maxPixels / frames) {
            throw UndecodableException.tooLarge("it has " + width + " by " + height + " pixels"
                    + (frames == 1 ? "" : " in " + frames + " frames") + ", and at most " + maxPixels
                    + " are decoded");
        }
    }
}
