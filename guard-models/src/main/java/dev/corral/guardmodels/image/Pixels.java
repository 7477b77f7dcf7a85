package dev.corral.guardmodels.image;

import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.util.stream.IntStream;

/**
 * Pixels with transparency, {@code 0xAARRGGBB} each, colours not multiplied by it. Made of samples as they are stored: the
 * JDK's own conversions apply a gamma to grey.
 */
@SuppressWarnings("ArrayRecordComponent") // on their way from a file to an image
record Pixels(int width, int height, int[] argb) {

    static Pixels of(BufferedImage image) {
        int width = image.getWidth();
        Raster raster = image.getRaster();
        Samples samples = Samples.of(image.getColorModel(), raster.getNumBands());
        int[] argb = new int[width * image.getHeight()];
        int[] row = new int[width * raster.getNumBands()];
        for (int y = 0; y < image.getHeight(); y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            for (int x = 0; x < width; x++) {
                argb[y * width + x] = samples.argb(row, x * raster.getNumBands());
            }
        }
        return new Pixels(width, image.getHeight(), argb);
    }

    /** What samples of one pixel mean. */
    private interface Samples {

        int argb(int[] samples, int at);

        static Samples of(ColorModel model, int bands) {
            if (model instanceof IndexColorModel palette) {
                int[] colours = new int[palette.getMapSize()];
                palette.getRGBs(colours);
                return (samples, at) -> samples[at] < colours.length ? colours[samples[at]] : 0xff000000;
            }
            int[] bits = model.getComponentSize();
            return switch (bands) {
                case 1 -> (samples, at) -> grey(eight(samples[at], bits[0]), 0xff);
                case 2 -> (samples, at) -> grey(eight(samples[at], bits[0]), eight(samples[at + 1], bits[1]));
                case 3 -> (samples, at) -> colour(samples, at, bits, 0xff);
                default -> (samples, at) -> colour(samples, at, bits, eight(samples[at + 3], bits[3]));
            };
        }

        private static int grey(int level, int alpha) {
            return (alpha << 24) | (level * 0x010101);
        }

        private static int colour(int[] samples, int at, int[] bits, int alpha) {
            return (alpha << 24)
                    | (eight(samples[at], bits[0]) << 16)
                    | (eight(samples[at + 1], bits[1]) << 8)
                    | eight(samples[at + 2], bits[2]);
        }

        /** On the scale to 255; of 16 bits, the high byte. */
        private static int eight(int sample, int bits) {
            return bits == 8 ? sample : bits == 16 ? sample >> 8 : sample * 255 / ((1 << bits) - 1);
        }
    }

    /** As Pillow's {@code alpha_composite} shows them over white. */
    RgbImage overWhite() {
        byte[] rgb = new byte[argb.length * RgbImage.CHANNELS];
        IntStream.range(0, height).parallel().forEach(y -> {
            for (int i = y * width; i < (y + 1) * width; i++) {
                int alpha = argb[i] >>> 24;
                rgb[i * 3] = overWhite((argb[i] >> 16) & 0xff, alpha);
                rgb[i * 3 + 1] = overWhite((argb[i] >> 8) & 0xff, alpha);
                rgb[i * 3 + 2] = overWhite(argb[i] & 0xff, alpha);
            }
        });
        return new RgbImage(width, height, rgb);
    }

    /** AlphaComposite.c with an opaque background: its fixed point of 7 bits, and its division by 255. */
    private static byte overWhite(int level, int alpha) {
        int sum = (level * alpha + 255 * (255 - alpha)) * 128 + (0x80 << 7);
        return (byte) (((sum >> 8) + sum) >> 8 >> 7);
    }
}
