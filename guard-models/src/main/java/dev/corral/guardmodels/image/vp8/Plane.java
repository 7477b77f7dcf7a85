package dev.corral.guardmodels.image.vp8;

import java.util.Arrays;

/**
 * One of luma and the two chromas, whole macroblocks of samples from 0 to 255. Above is a row of 127, on the left a column
 * of 129: what the blocks at the border are predicted from.
 */
final class Plane {

    private static final byte ABOVE = 127;
    private static final byte LEFT = (byte) 129;

    final int stride;
    private final byte[] samples;

    Plane(int width, int height) {
        stride = width + 1;
        samples = new byte[stride * (height + 1)];
        Arrays.fill(samples, 0, stride, ABOVE);
        for (int y = 0; y < height; y++) {
            samples[at(-1, y)] = LEFT;
        }
    }

    /** The place of a sample; those of its row and column follow by 1 and by {@link #stride}. */
    int at(int x, int y) {
        return (y + 1) * stride + x + 1;
    }

    int get(int at) {
        return samples[at] & 0xff;
    }

    void set(int at, int sample) {
        samples[at] = (byte) sample;
    }

    void setClipped(int at, int sample) {
        samples[at] = (byte) clip(sample);
    }

    void add(int at, int difference) {
        samples[at] = (byte) clip(get(at) + difference);
    }

    /** A row of the same sample. */
    void fill(int at, int length, int sample) {
        Arrays.fill(samples, at, at + length, (byte) sample);
    }

    void copy(int from, int to, int length) {
        System.arraycopy(samples, from, samples, to, length);
    }

    static int clip(int sample) {
        return Math.clamp(sample, 0, 255);
    }
}
