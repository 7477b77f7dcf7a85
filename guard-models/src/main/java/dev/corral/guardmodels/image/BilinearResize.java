package dev.corral.guardmodels.image;

import java.util.stream.IntStream;

/**
 * The resize of Pillow up to version 12 ({@code BILINEAR} on 8-bit channels, {@code Resample.c}), bit for bit: a triangle
 * that is widened by the factor of shrinking, its weights rounded to 22 bits, one pass for each direction, and 8 bits in
 * between. Runs on all processors.
 */
final class BilinearResize {

    /*
     * The passes differ in how bytes lie in memory. Across, the weighted pixels of a sum are neighbours, and sums of the
     * three channels are carried in registers. Down, they are a row apart, so that a whole row of sums is carried along
     * and each source row is read from start to end, which the compiler turns into vector instructions. Rounded weights
     * are not negative and add up to 2^22 within a few units, so that a rounded sum never leaves 0..255.
     */

    private static final int BITS = 32 - 8 - 2;
    private static final int HALF = 1 << (BITS - 1);
    /** Taller than so many widths: then Pillow shrinks the height first. */
    private static final int TALL = 100;

    private BilinearResize() {}

    /** The image at this size; the same image where it has it already. */
    static RgbImage resize(RgbImage image, int height, int width) {
        boolean tall = image.height() > TALL * (long) image.width() && height < image.height();
        return tall ? across(down(image, height), width) : down(across(image, width), height);
    }

    private static RgbImage across(RgbImage image, int width) {
        if (image.width() == width) {
            return image;
        }
        Weights weights = Weights.of(image.width(), width);
        byte[] out = new byte[image.height() * width * RgbImage.CHANNELS];
        IntStream.range(0, image.height())
                .parallel()
                .forEach(y -> acrossRow(
                        image.rgb(),
                        y * image.width() * RgbImage.CHANNELS,
                        weights,
                        out,
                        y * width * RgbImage.CHANNELS,
                        width));
        return new RgbImage(width, image.height(), out);
    }

    private static void acrossRow(byte[] in, int row, Weights weights, byte[] out, int to, int width) {
        int[] values = weights.values;
        int o = to;
        for (int x = 0; x < width; x++) {
            int red = HALF;
            int green = HALF;
            int blue = HALF;
            int i = row + weights.first[x] * RgbImage.CHANNELS;
            int end = weights.start[x + 1];
            for (int k = weights.start[x]; k < end; k++) {
                int weight = values[k];
                red += (in[i] & 0xff) * weight;
                green += (in[i + 1] & 0xff) * weight;
                blue += (in[i + 2] & 0xff) * weight;
                i += RgbImage.CHANNELS;
            }
            out[o] = (byte) (red >>> BITS);
            out[o + 1] = (byte) (green >>> BITS);
            out[o + 2] = (byte) (blue >>> BITS);
            o += RgbImage.CHANNELS;
        }
    }

    private static RgbImage down(RgbImage image, int height) {
        if (image.height() == height) {
            return image;
        }
        Weights weights = Weights.of(image.height(), height);
        int stride = image.width() * RgbImage.CHANNELS;
        byte[] out = new byte[height * stride];
        IntStream.range(0, height).parallel().forEach(y -> downRow(image.rgb(), stride, weights, y, out));
        return new RgbImage(image.width(), height, out);
    }

    private static void downRow(byte[] in, int stride, Weights weights, int y, byte[] out) {
        int[] sums = new int[stride];
        int row = weights.first[y] * stride;
        for (int k = weights.start[y]; k < weights.start[y + 1]; k++) {
            int weight = weights.values[k];
            for (int i = 0; i < stride; i++) {
                sums[i] += (in[row + i] & 0xff) * weight;
            }
            row += stride;
        }
        for (int i = 0; i < stride; i++) {
            out[y * stride + i] = (byte) ((sums[i] + HALF) >>> BITS);
        }
    }

    /**
     * What each output is the weighted sum of.
     *
     * @param first for each output, its first input
     * @param start for each output, where its weights begin; and, last, where all weights end
     * @param values weights of consecutive inputs, in units of 2^-22
     */
    @SuppressWarnings("ArrayRecordComponent") // looked up in the innermost loops, and never compared
    private record Weights(int[] first, int[] start, int[] values) {

        static Weights of(int inputs, int outputs) {
            double scale = (double) inputs / outputs;
            double support = Math.max(scale, 1);
            int[] first = new int[outputs];
            int[] start = new int[outputs + 1];
            int[] values = new int[Math.toIntExact((long) outputs * ((long) Math.ceil(support) * 2 + 1))];
            for (int i = 0; i < outputs; i++) {
                double center = (i + 0.5) * scale;
                int from = Math.max(0, (int) (center - support + 0.5));
                int to = Math.min(inputs, (int) (center + support + 0.5));
                double[] triangle = triangle(from, to, center, 1 / support);
                first[i] = from;
                start[i + 1] = start[i] + triangle.length;
                for (int k = 0; k < triangle.length; k++) {
                    values[start[i] + k] = (int) (triangle[k] * (1 << BITS) + 0.5);
                }
            }
            return new Weights(first, start, values);
        }

        /** Normalised to a sum of 1; the order of additions is Pillow's. */
        private static double[] triangle(int from, int to, double center, double slope) {
            double[] triangle = new double[to - from];
            double sum = 0;
            for (int k = 0; k < triangle.length; k++) {
                triangle[k] = Math.max(0, 1 - Math.abs((k + from - center + 0.5) * slope));
                sum += triangle[k];
            }
            for (int k = 0; k < triangle.length && sum != 0; k++) {
                triangle[k] /= sum;
            }
            return triangle;
        }
    }
}
