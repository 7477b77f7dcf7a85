package dev.corral.guardmodels.image.vp8;

/** The inverse transforms, from coefficients to differences of samples (RFC 6386, section 14). */
final class Transform {

    private static final int SIDE = 4;
    /** Square root of 2 times the cosine of 22.5 degrees, less 1, and times its sine; in 65536ths. */
    private static final int COSINE = 20_091;

    private static final int SINE = 35_468;

    private Transform() {}

    /** Spreads the coefficients of a macroblock's second plane over the first coefficients of its 16 blocks. */
    static void walshHadamard(short[] in, short[] blocks) {
        int[] columns = new int[SIDE * SIDE];
        for (int i = 0; i < SIDE; i++) {
            int a0 = in[i] + in[12 + i];
            int a1 = in[4 + i] + in[8 + i];
            int a2 = in[4 + i] - in[8 + i];
            int a3 = in[i] - in[12 + i];
            columns[i] = a0 + a1;
            columns[4 + i] = a3 + a2;
            columns[8 + i] = a0 - a1;
            columns[12 + i] = a3 - a2;
        }
        for (int i = 0; i < SIDE; i++) {
            int first = columns[4 * i] + 3;
            int a0 = first + columns[4 * i + 3];
            int a1 = columns[4 * i + 1] + columns[4 * i + 2];
            int a2 = columns[4 * i + 1] - columns[4 * i + 2];
            int a3 = first - columns[4 * i + 3];
            blocks[64 * i] = (short) ((a0 + a1) >> 3);
            blocks[64 * i + 16] = (short) ((a3 + a2) >> 3);
            blocks[64 * i + 32] = (short) ((a0 - a1) >> 3);
            blocks[64 * i + 48] = (short) ((a3 - a2) >> 3);
        }
    }

    /** Adds what the 16 coefficients from {@code in} on stand for to the block of 4 by 4 samples at {@code to}. */
    static void add(short[] blocks, int in, Plane plane, int to) {
        int[] columns = new int[SIDE * SIDE];
        for (int i = 0; i < SIDE; i++) {
            int a = blocks[in + i] + blocks[in + 8 + i];
            int b = blocks[in + i] - blocks[in + 8 + i];
            int c = sine(blocks[in + 4 + i]) - cosine(blocks[in + 12 + i]);
            int d = cosine(blocks[in + 4 + i]) + sine(blocks[in + 12 + i]);
            columns[4 * i] = a + d;
            columns[4 * i + 1] = b + c;
            columns[4 * i + 2] = b - c;
            columns[4 * i + 3] = a - d;
        }
        for (int y = 0; y < SIDE; y++) {
            int first = columns[y] + 4;
            int a = first + columns[8 + y];
            int b = first - columns[8 + y];
            int c = sine(columns[4 + y]) - cosine(columns[12 + y]);
            int d = cosine(columns[4 + y]) + sine(columns[12 + y]);
            int row = to + y * plane.stride;
            plane.add(row, (a + d) >> 3);
            plane.add(row + 1, (b + c) >> 3);
            plane.add(row + 2, (b - c) >> 3);
            plane.add(row + 3, (a - d) >> 3);
        }
    }

    private static int cosine(int value) {
        return ((value * COSINE) >> 16) + value;
    }

    private static int sine(int value) {
        return (value * SINE) >> 16;
    }
}
