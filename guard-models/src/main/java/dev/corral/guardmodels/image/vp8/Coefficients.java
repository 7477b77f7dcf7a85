package dev.corral.guardmodels.image.vp8;

import java.io.EOFException;
import java.util.Arrays;

/** Reads the coefficients of one macroblock after the other (RFC 6386, section 13). */
final class Coefficients {

    /** Kinds of blocks: luma without its first coefficient, the second plane of these, chroma, luma with it. */
    private static final int LUMA_WITHOUT_FIRST = 0;

    private static final int SECOND = 1;
    private static final int CHROMA = 2;
    private static final int LUMA = 3;

    private static final int BLOCK = 16;
    /** Luma has blocks 0 to 15, the chromas have 16 to 19 and 20 to 23. */
    private static final int BLOCKS = 24;

    private static final int[] BANDS = {0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7};
    private static final int[] ZIGZAG = {0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15};

    /** Probabilities of the bits of a large value, by its category from the third on, and where these begin. */
    private static final int[][] LARGE = {
        {173, 148, 140},
        {176, 155, 140, 135},
        {180, 157, 141, 134, 130},
        {254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129}
    };

    /** What of a column or a row is remembered for the next macroblock: 4 of luma, 2 and 2 of chroma, the second plane. */
    private static final int SECOND_PLANE = 8;

    private static final int REMEMBERED = 9;

    private final FrameHeader header;
    private final int[] probabilities;
    private final int[][] above;
    private final int[] left = new int[REMEMBERED];
    private final short[] blocks = new short[BLOCKS * BLOCK];
    private boolean any;

    Coefficients(FrameHeader header, int columns) {
        this.header = header;
        this.probabilities = header.probabilities();
        this.above = new int[columns][REMEMBERED];
    }

    void beginRow() {
        Arrays.fill(left, 0);
    }

    /** A macroblock without any. */
    void skip(int column, boolean subBlocks) {
        any = false;
        Arrays.fill(left, 0, SECOND_PLANE, 0);
        Arrays.fill(above[column], 0, SECOND_PLANE, 0);
        if (!subBlocks) {
            left[SECOND_PLANE] = 0;
            above[column][SECOND_PLANE] = 0;
        }
    }

    void read(BoolDecoder in, int column, int segment, boolean subBlocks) throws EOFException {
        Arrays.fill(blocks, (short) 0);
        any = false;
        FrameHeader.Quantizer quantizer = header.quantizer(segment);
        int[] top = above[column];
        int first = 0;
        if (!subBlocks) {
            short[] second = new short[BLOCK];
            int end = read(in, SECOND, top[SECOND_PLANE] + left[SECOND_PLANE], quantizer.second(), 0, second, 0);
            top[SECOND_PLANE] = left[SECOND_PLANE] = end > 0 ? 1 : 0;
            Transform.walshHadamard(second, blocks);
            first = 1;
        }
        int kind = subBlocks ? LUMA : LUMA_WITHOUT_FIRST;
        square(in, kind, quantizer.luma(), first, 0, 4, top, 0);
        square(in, CHROMA, quantizer.chroma(), 0, 16, 2, top, 4);
        square(in, CHROMA, quantizer.chroma(), 0, 20, 2, top, 6);
    }

    private void square(
            BoolDecoder in, int kind, FrameHeader.Steps steps, int first, int from, int side, int[] top, int remembered)
            throws EOFException {
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                int at = (from + y * side + x) * BLOCK;
                int end = read(in, kind, top[remembered + x] + left[remembered + y], steps, first, blocks, at);
                top[remembered + x] = left[remembered + y] = end > first ? 1 : 0;
                any |= end > 1 || blocks[at] != 0;
            }
        }
    }

    /** One block; where its last coefficient is, plus one. */
    private int read(BoolDecoder in, int kind, int context, FrameHeader.Steps steps, int first, short[] out, int to)
            throws EOFException {
        int p = Tables.tokens(kind, BANDS[first], context);
        for (int n = first; n < BLOCK; n++) {
            if (!in.next(probabilities[p])) {
                return n;
            }
            while (!in.next(probabilities[p + 1])) {
                if (++n == BLOCK) {
                    return BLOCK;
                }
                p = Tables.tokens(kind, BANDS[n], 0);
            }
            boolean more = in.next(probabilities[p + 2]);
            int value = in.sign(more ? beyondOne(in, p) : 1);
            out[to + ZIGZAG[n]] = (short) (value * (n > 0 ? steps.others() : steps.first()));
            if (n + 1 < BLOCK) {
                p = Tables.tokens(kind, BANDS[n + 1], more ? 2 : 1);
            }
        }
        return BLOCK;
    }

    private int beyondOne(BoolDecoder in, int p) throws EOFException {
        if (!in.next(probabilities[p + 3])) {
            return in.next(probabilities[p + 4]) ? 3 + in.bit(probabilities[p + 5]) : 2;
        }
        if (!in.next(probabilities[p + 6])) {
            return in.next(probabilities[p + 7]) ? 7 + 2 * in.bit(165) + in.bit(145) : 5 + in.bit(159);
        }
        int upper = in.bit(probabilities[p + 8]);
        int category = 2 * upper + in.bit(probabilities[p + 9 + upper]);
        int value = 0;
        for (int probability : LARGE[category]) {
            value = 2 * value + in.bit(probability);
        }
        return value + 3 + (8 << category);
    }

    /** Whether the macroblock has any coefficient that is not 0. */
    boolean any() {
        return any;
    }

    /** Adds what a block stands for to the samples at a place. */
    void addTo(Plane plane, int at, int block) {
        if (any) {
            Transform.add(blocks, block * BLOCK, plane, at);
        }
    }
}
