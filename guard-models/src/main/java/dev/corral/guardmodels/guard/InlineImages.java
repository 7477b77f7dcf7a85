package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.conversation.Part.ImagePart;
import dev.corral.guardmodels.image.DecodedImage;
import dev.corral.guardmodels.image.ImageDecoder;
import dev.corral.guardmodels.image.ImageLimits;
import dev.corral.guardmodels.image.RgbImage;
import java.util.Base64;
import java.util.List;
import java.util.Locale;

/** Decodes images that stand in the request itself, as {@code data:} URIs. Nothing is fetched. Thread-safe. */
public final class InlineImages {

    private static final String SCHEME = "data:";
    private static final String ENCODING = ";base64";

    private final ImageDecoder decoder;

    public InlineImages(ImageLimits limits) {
        this.decoder = new ImageDecoder(limits);
    }

    /**
     * All pictures of an image: one, or one for each frame.
     *
     * @throws UnreadableImageException if it is not in the request, or cannot be decoded as a whole
     * @throws InterruptedException if the thread is interrupted
     */
    public List<RgbImage> frames(ImagePart image) throws InterruptedException {
        return switch (decoder.decode(bytes(image.url()))) {
            case DecodedImage.Frames frames -> frames.frames();
            case DecodedImage.Refused refused
            when refused.reason() == DecodedImage.Reason.INTERRUPTED -> {
                Thread.interrupted();
                throw new InterruptedException();
            }
            case DecodedImage.Refused refused -> throw new UnreadableImageException(refused.detail());
        };
    }

    private static byte[] bytes(String url) {
        int comma = url.indexOf(',');
        if (!url.regionMatches(true, 0, SCHEME, 0, SCHEME.length()) || comma < 0) {
            throw new UnreadableImageException(
                    "it is not in the request itself: send it inline, as data:image/png;base64,...");
        }
        if (!url.substring(0, comma).toLowerCase(Locale.ROOT).endsWith(ENCODING)) {
            throw new UnreadableImageException("its data: URI is not in base64");
        }
        try {
            return Base64.getDecoder().decode(url.substring(comma + 1));
        } catch (IllegalArgumentException _) {
            throw new UnreadableImageException("its base64 is broken");
        }
    }
}
