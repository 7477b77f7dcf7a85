package dev.corral.guardmodels.image;

import java.util.List;

/** What came of a file. */
public sealed interface DecodedImage {

    /**
     * All that can be seen in it.
     *
     * @param frames at least one; those of an animation as they are shown one after the other
     */
    record Frames(ImageFormat format, List<RgbImage> frames) implements DecodedImage {

        public Frames {
            frames = List.copyOf(frames);
            if (frames.isEmpty()) {
                throw new IllegalArgumentException("an image must have at least one frame");
            }
        }
    }

    /**
     * Nothing of it was decoded, or not all.
     *
     * @param detail in a sentence's words, such as {@code the file ends too early}
     */
    record Refused(Reason reason, String detail) implements DecodedImage {}

    /** Why a file was not decoded. */
    enum Reason {
        /** A format that is not known here, or a rare kind of one that is. */
        UNSUPPORTED,
        CORRUPT,
        /** More pixels or frames than the limits allow, as its header says; nothing was decoded. */
        TOO_LARGE,
        /** Whoever waits for it interrupted; the thread still is. */
        INTERRUPTED
    }
}
