package dev.corral.quantization.graph;

import dev.corral.quantization.checkpoint.CheckpointException;

/** Numbers of 16 bits (IEEE 754 binary16). */
final class Halves {

    private Halves() {}

    /**
     * The nearest one.
     *
     * @param constant what the number belongs to, for the message
     * @throws CheckpointException if the number is not finite, or becomes infinite
     */
    static short of(float number, String constant) {
        short half = Float.floatToFloat16(number);
        if ((half & 0x7C00) == 0x7C00) {
            throw new CheckpointException(
                    "%s holds a weight that 16 bits cannot tell: %s. Take another precision, or download it again."
                            .formatted(constant, number));
        }
        return half;
    }

    /** A number as it is after having been stored. */
    static float rounded(float number) {
        return Float.float16ToFloat(Float.floatToFloat16(number));
    }
}
