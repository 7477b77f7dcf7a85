package dev.corral.guardmodels.onnx;

import dev.corral.guardmodels.image.PreprocessedImage;

/** A decoder that can see one image at a time. Safe for use by many threads. */
public interface VisionModel extends AutoCloseable {

    /**
     * The decoder as it sees an image, which it looks at now, unless it still remembers it.
     *
     * @throws InterruptedException if the thread is interrupted; the work ends within some milliseconds
     */
    Sighted seeing(PreprocessedImage image) throws InterruptedException;

    /** The decoder as it sees nothing. */
    Decoder blind();

    /** Images that were looked at since the model was loaded; those that were remembered are not among them. */
    long encodedImages();

    /** The most tokens of one call. */
    int contextTokens();

    /** Outputs of the head. */
    int headRows();

    @Override
    void close();

    /** A decoder that sees an image; its tokens must have the image's among them. Close it when the image is judged. */
    interface Sighted extends Decoder, AutoCloseable {

        @Override
        void close();
    }
}
