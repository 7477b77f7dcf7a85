package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.image.PreprocessedImage;
import java.util.List;

/** Makes what a vision model sees of an image part. */
@FunctionalInterface
public interface ImageReader {

    /**
     * All pictures of an image: one, or one for each frame.
     *
     * @throws UnreadableImageException if it cannot be seen as a whole
     * @throws InterruptedException if the thread is interrupted
     */
    List<PreprocessedImage> read(ImagePart image) throws InterruptedException;
}
