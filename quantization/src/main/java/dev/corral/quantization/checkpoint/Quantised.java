package dev.corral.quantization.checkpoint;

/**
 * The rows of a matrix that was quantised before, in blocks of weights that share a scale:
 * w = scale · number + offset. Safe for use by many threads.
 */
public interface Quantised {

    Layout layout();

    /**
     * What all blocks of a matrix have in common; matrices of one layout can be put below each other.
     *
     * @param bits 4 or 8
     * @param blockSize weights that share a scale; divides the columns
     * @param halfScales whether 16 bits (IEEE 754 binary16) tell every scale exactly
     * @param offsets whether blocks have offsets
     */
    record Layout(int bits, int blockSize, boolean halfScales, boolean offsets) {}

    /** Copies the numbers of a row, from -2^(bits-1) to 2^(bits-1) - 1, one for each column. */
    void numbers(int row, byte[] target);

    /** Copies the scales of a row, one for each block. */
    void scales(int row, float[] target);

    /** Copies the offsets of a row, one for each block; only where the layout has them. */
    void offsets(int row, float[] target);
}
