package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.conversation.Image;
import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.image.DecodedImage;
import dev.corral.guardmodels.image.ImageDecoder;
import dev.corral.guardmodels.image.ImageLimits;
import dev.corral.guardmodels.image.RgbImage;
import java.util.List;

/** Decodes the images of a conversation. Nothing is fetched. Thread-safe. */
public final class ImageFrames {

    private final ImageDecoder decoder;

    public ImageFrames(ImageLimits limits) {
        this.decoder = new ImageDecoder(limits);
    }

    /**
     * All pictures of an image: one, or one for each frame.
     *
     * @throws UnreadableImageException if there is no file of it, or the file cannot be decoded as a whole
     * @throws InterruptedException if the thread is interrupted
     */
    public List<RgbImage> of(ImagePart part) throws InterruptedException {
        return switch (part.image()) {
            case Image.File file -> decoded(file.bytes());
            case Image.Unavailable unavailable -> throw new UnreadableImageException(unavailable.why());
            case Image.Reference _ -> throw new UnreadableImageException("nobody has fetched it");
        };
    }

    private List<RgbImage> decoded(byte[] file) throws InterruptedException {
        DecodedImage decoded = decoder.decode(file);
        if (decoded instanceof DecodedImage.Refused refused) {
            if (refused.reason() == DecodedImage.Reason.INTERRUPTED) {
                Thread.interrupted();
                throw new InterruptedException();
            }
            throw new UnreadableImageException(refused.detail());
        }
        return ((DecodedImage.Frames) decoded).frames();
    }
}
