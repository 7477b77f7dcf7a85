package dev.corral.guardmodels.image;

import java.util.List;

/**
 * Decodes PNG, JPEG, WebP, GIF and BMP to RGB, as Pillow and Hugging Face's {@code load_image} do: upright by the EXIF
 * orientation, colour profiles left aside, and what is transparent over white as {@code MllamaImageProcessor} has it.
 * Thread-safe.
 */
public final class ImageDecoder {

    /*
     * The files come from strangers. Three things keep them in bounds, whatever a decoding library does with them:
     * - A header is read here before a library sees the file. The library gets sizes that were checked, and no profiles,
     *   texts, thumbnails or second images: only what makes pixels. What a zipped text might grow to is never found out.
     * - Warnings count as errors. A library that fills up what is missing with grey would have a guard judge another
     *   picture than the backend's library shows, which fills it up with something else.
     * - Everything that can be shown is decoded: an animation's frames as they look one over the other. What is not
     *   decoded is not judged, so a file with more frames than the limit is refused as a whole.
     * Work grows with pixels, frames and, in progressive JPEGs, scans, and all are limited; reading stops when the thread
     * is interrupted.
     */

    private final ImageLimits limits;

    public ImageDecoder(ImageLimits limits) {
        this.limits = limits;
    }

    /**
     * Decodes a file.
     *
     * @param file not written to
     */
    public DecodedImage decode(byte[] file) {
        try {
            ImageFormat format = ImageFormat.of(file)
                    .orElseThrow(() -> UndecodableException.unsupported(
                            "it is none of PNG, JPEG, WebP, GIF and BMP by its first bytes"));
            return new DecodedImage.Frames(format, frames(format, file));
        } catch (UndecodableException e) {
            return e.refused();
        }
    }

    private List<RgbImage> frames(ImageFormat format, byte[] file) throws UndecodableException {
        return switch (format) {
            case PNG -> PngDecoder.decode(file, limits);
            case JPEG -> List.of(JpegDecoder.decode(file, limits));
            case GIF -> GifDecoder.decode(file, limits);
            case WEBP -> WebpDecoder.decode(file, limits);
            case BMP -> List.of(BmpDecoder.decode(file, limits));
        };
    }
}
