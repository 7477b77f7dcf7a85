package dev.corral.guardmodels.image;

import java.awt.image.ComponentSampleModel;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.util.stream.IntStream;

/**
 * JPEG by the JDK's libjpeg, as far as the samples; their colours are worked out here, on all processors, with libjpeg's
 * arithmetic ({@code jdcolor.c}) and Pillow's for CMYK, whose samples are inverted as Adobe writes them.
 */
final class JpegDecoder {

    private static final int RED_OF_CR = 91881;
    private static final int BLUE_OF_CB = 116130;
    private static final int GREEN_OF_CB = 22554;
    private static final int GREEN_OF_CR = 46802;
    private static final int BITS = 16;
    private static final int HALF = 1 << (BITS - 1);

    private JpegDecoder() {}

    static RgbImage decode(byte[] file, ImageLimits limits) throws UndecodableException {
        JpegHeader header = JpegHeader.read(file, limits);
        byte[] samples = samples(header);
        int bands = samples.length / (header.width() * header.height());
        byte[] rgb = bands == RgbImage.CHANNELS
                ? samples // changed in place: a photo has tens of megabytes
                : new byte[header.width() * header.height() * RgbImage.CHANNELS];
        Colour colour = colour(header.colours());
        int width = header.width();
        IntStream.range(0, header.height())
                .parallel()
                .forEach(y -> colour.convert(
                        samples, y * width * bands, rgb, y * width * RgbImage.CHANNELS, (y + 1) * width * 3));
        return header.orientation().upright(new RgbImage(width, header.height(), rgb));
    }

    /** All samples of a pixel side by side, pixels row by row. */
    private static byte[] samples(JpegHeader header) throws UndecodableException {
        try (Library libjpeg = Library.jdk("jpeg", header.bare(), JpegDecoder::isHarmless)) {
            Raster raster = libjpeg.raster();
            int bands = switch (header.colours()) {
                case GREY -> 1;
                case RGB, YCC -> 3;
                case CMYK, YCCK -> 4;
            };
            if (!(raster.getDataBuffer() instanceof DataBufferByte buffer
                    && raster.getSampleModel() instanceof ComponentSampleModel model
                    && model.getPixelStride() == bands
                    && buffer.getData().length == header.width() * header.height() * bands)) {
                throw new IllegalStateException("this Java decodes JPEGs to something else than bytes side by side");
            }
            return buffer.getData();
        }
    }

    /** Superfluous bytes between segments, which some cameras write. */
    private static boolean isHarmless(String warning) {
        return warning.contains("extraneous bytes before marker");
    }

    /** Turns samples into red, green and blue, up to an end in the target. */
    private interface Colour {
        void convert(byte[] samples, int from, byte[] rgb, int to, int end);
    }

    private static Colour colour(JpegHeader.Colours colours) {
        return switch (colours) {
            case RGB -> (_, _, _, _, _) -> {};
            case GREY -> JpegDecoder::ofGrey;
            case YCC -> (samples, from, rgb, to, end) -> ofYcc(samples, from, 3, rgb, to, end);
            case CMYK -> JpegDecoder::ofCmyk;
            case YCCK -> JpegDecoder::ofYcck;
        };
    }

    private static void ofGrey(byte[] samples, int from, byte[] rgb, int to, int end) {
        for (int i = from, o = to; o < end; i++, o += 3) {
            rgb[o] = samples[i];
            rgb[o + 1] = samples[i];
            rgb[o + 2] = samples[i];
        }
    }

    private static void ofYcc(byte[] samples, int from, int stride, byte[] rgb, int to, int end) {
        for (int i = from, o = to; o < end; i += stride, o += 3) {
            int y = samples[i] & 0xff;
            int cb = (samples[i + 1] & 0xff) - 128;
            int cr = (samples[i + 2] & 0xff) - 128;
            rgb[o] = (byte) Math.clamp(y + ((RED_OF_CR * cr + HALF) >> BITS), 0, 255);
            rgb[o + 1] = (byte) Math.clamp(y + ((HALF - GREEN_OF_CB * cb - GREEN_OF_CR * cr) >> BITS), 0, 255);
            rgb[o + 2] = (byte) Math.clamp(y + ((BLUE_OF_CB * cb + HALF) >> BITS), 0, 255);
        }
    }

    private static void ofCmyk(byte[] samples, int from, byte[] rgb, int to, int end) {
        for (int i = from, o = to; o < end; i += 4, o += 3) {
            int white = samples[i + 3] & 0xff;
            rgb[o] = inked(255 - (samples[i] & 0xff), white);
            rgb[o + 1] = inked(255 - (samples[i + 1] & 0xff), white);
            rgb[o + 2] = inked(255 - (samples[i + 2] & 0xff), white);
        }
    }

    /** The colours are those of the inverted inks, which libjpeg inverts and Pillow inverts again. */
    private static void ofYcck(byte[] samples, int from, byte[] rgb, int to, int end) {
        ofYcc(samples, from, 4, rgb, to, end);
        for (int i = from + 3, o = to; o < end; i += 4, o += 3) {
            int white = samples[i] & 0xff;
            rgb[o] = inked(rgb[o] & 0xff, white);
            rgb[o + 1] = inked(rgb[o + 1] & 0xff, white);
            rgb[o + 2] = inked(rgb[o + 2] & 0xff, white);
        }
    }

    /** Convert.c's {@code cmyk2rgb}: what an ink leaves of what black leaves of white. */
    private static byte inked(int ink, int white) {
        int product = ink * white + 128;
        return (byte) Math.max(0, white - (((product >> 8) + product) >> 8));
    }
}
