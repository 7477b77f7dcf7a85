package dev.corral.guardmodels.image.vp8;

import java.io.EOFException;
import java.io.IOException;

/** What a frame says about all of its macroblocks (RFC 6386, section 9). */
final class FrameHeader {

    private static final int SEGMENTS = 4;
    private static final int DELTAS = 4;
    private static final int MOST_FILTERING = 63;
    private static final int COARSEST = 127;
    /** The chroma's first coefficient has no coarser step than this. */
    private static final int COARSEST_CHROMA = 117;

    /** Steps between the values of coefficients: of the first of a block, and of the others. */
    record Steps(int first, int others) {}

    /** Steps of the first plane's blocks, of the second's, and of chroma. */
    record Quantizer(Steps luma, Steps second, Steps chroma) {}

    /**
     * How the edges of a macroblock are smoothed.
     *
     * @param limit of the difference at an edge between its sub-blocks, above which it is no artefact; 0 for no smoothing
     * @param interior the same of samples beside the edge
     * @param contrast above which samples beside the edge are left alone
     */
    record Smoothing(int limit, int interior, int contrast) {

        static final Smoothing NONE = new Smoothing(0, 0, 0);
    }

    /** A way of smoothing the whole frame. */
    enum Filter {
        NONE,
        SIMPLE,
        NORMAL
    }

    private final BoolDecoder in;
    private boolean segmented;
    private boolean segmentMap;
    private boolean absolute = true;
    private final int[] segmentQuantizers = new int[SEGMENTS];
    private final int[] segmentLevels = new int[SEGMENTS];
    private final int[] segmentProbabilities = {255, 255, 255};
    private boolean simple;
    private int level;
    private int sharpness;
    private boolean deltas;
    private int intraDelta;
    private int subBlockDelta;
    private final Quantizer[] quantizers = new Quantizer[SEGMENTS];
    private final int[] probabilities = new int[Tables.COEFFICIENTS.length];
    private int skipProbability;

    /** How many parts the coefficients are in, by rows of macroblocks in turn. */
    private int parts;

    private FrameHeader(BoolDecoder in) {
        this.in = in;
    }

    /** Reads it, up to the first macroblock. */
    static FrameHeader read(BoolDecoder in) throws IOException {
        FrameHeader header = new FrameHeader(in);
        in.number(2); // a colour space, and whether samples need clipping: they are always clipped
        header.readSegments();
        header.readFilter();
        header.parts = 1 << in.number(2);
        header.readQuantizers();
        in.flag(); // what a next frame begins with
        header.readProbabilities();
        return header;
    }

    private void readSegments() throws EOFException {
        segmented = in.flag();
        if (!segmented) {
            return;
        }
        segmentMap = in.flag();
        if (in.flag()) {
            absolute = in.flag();
            for (int i = 0; i < SEGMENTS; i++) {
                segmentQuantizers[i] = in.optionalSigned(7);
            }
            for (int i = 0; i < SEGMENTS; i++) {
                segmentLevels[i] = in.optionalSigned(6);
            }
        }
        if (segmentMap) {
            for (int i = 0; i < segmentProbabilities.length; i++) {
                segmentProbabilities[i] = in.flag() ? in.number(8) : 255;
            }
        }
    }

    private void readFilter() throws EOFException {
        simple = in.flag();
        level = in.number(6);
        sharpness = in.number(3);
        deltas = in.flag();
        if (deltas && in.flag()) {
            int[] values = new int[2 * DELTAS];
            for (int i = 0; i < values.length; i++) {
                values[i] = in.optionalSigned(6);
            }
            intraDelta = values[0];
            subBlockDelta = values[DELTAS];
        }
    }

    private void readQuantizers() throws EOFException {
        int base = in.number(7);
        int luma = in.optionalSigned(4);
        int secondFirst = in.optionalSigned(4);
        int second = in.optionalSigned(4);
        int chromaFirst = in.optionalSigned(4);
        int chroma = in.optionalSigned(4);
        for (int i = 0; i < SEGMENTS; i++) {
            int q = !segmented ? base : segmentQuantizers[i] + (absolute ? 0 : base);
            quantizers[i] = new Quantizer(
                    new Steps(first(q + luma, COARSEST), others(q)),
                    new Steps(2 * first(q + secondFirst, COARSEST), Math.max(8, others(q + second) * 155 / 100)),
                    new Steps(first(q + chromaFirst, COARSEST_CHROMA), others(q + chroma)));
        }
    }

    private static int first(int quantizer, int coarsest) {
        return Tables.DC_STEPS[Math.clamp(quantizer, 0, coarsest)];
    }

    private static int others(int quantizer) {
        return Tables.AC_STEPS[Math.clamp(quantizer, 0, COARSEST)];
    }

    private void readProbabilities() throws EOFException {
        for (int i = 0; i < probabilities.length; i++) {
            probabilities[i] = in.next(Tables.UPDATES[i]) ? in.number(8) : Tables.COEFFICIENTS[i];
        }
        skipProbability = in.flag() ? in.number(8) : -1;
    }

    int parts() {
        return parts;
    }

    Quantizer quantizer(int segment) {
        return quantizers[segment];
    }

    /** By {@link Tables#tokens}. */
    int[] probabilities() {
        return probabilities;
    }

    /** A macroblock's segment, which comes first of it. */
    int readSegment() throws EOFException {
        if (!segmentMap) {
            return 0;
        }
        return in.next(segmentProbabilities[0]) ? 2 + in.bit(segmentProbabilities[2]) : in.bit(segmentProbabilities[1]);
    }

    /** Whether a macroblock has no coefficients, which comes second. */
    boolean readSkip() throws EOFException {
        return skipProbability >= 0 && in.next(skipProbability);
    }

    /** How the whole frame is smoothed. */
    Filter smoothing() {
        return level == 0 ? Filter.NONE : simple ? Filter.SIMPLE : Filter.NORMAL;
    }

    /** How a macroblock is smoothed (section 9.6 and 15). */
    Smoothing smoothing(int segment, boolean subBlocks) {
        int strength = !segmented ? level : segmentLevels[segment] + (absolute ? 0 : level);
        if (deltas) {
            strength += intraDelta + (subBlocks ? subBlockDelta : 0);
        }
        strength = Math.clamp(strength, 0, MOST_FILTERING);
        if (strength == 0) {
            return Smoothing.NONE;
        }
        int interior = strength;
        if (sharpness > 0) {
            interior = Math.min(interior >> (sharpness > 4 ? 2 : 1), 9 - sharpness);
        }
        interior = Math.max(1, interior);
        return new Smoothing(2 * strength + interior, interior, strength >= 40 ? 2 : strength >= 15 ? 1 : 0);
    }
}
