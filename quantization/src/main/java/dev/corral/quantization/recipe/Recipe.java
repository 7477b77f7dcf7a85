package dev.corral.quantization.recipe;

import dev.corral.guardmodels.store.Precision;
import java.util.List;

/**
 * What to make of a checkpoint.
 *
 * @param precision of all matrices but the verdict head, which stays fp32
 * @param blockSize weights that share a scale, for int4: 16, 32, 64, 128 or 256 (the sizes that ONNX Runtime's
 *     {@code MatMulNBits} has kernels for)
 * @param fineLayers first layers whose activations take 16 bits instead of 8, for int8
 * @param contextTokens longest prompt that the guard will take
 */
public record Recipe(Precision precision, int blockSize, int fineLayers, int contextTokens) {

    private static final List<Integer> BLOCK_SIZES = List.of(16, 32, 64, 128, 256);

    public static final int DEFAULT_BLOCK_SIZE = 32;

    public static final int DEFAULT_FINE_LAYERS = 2;

    public static final int DEFAULT_CONTEXT_TOKENS = 8192;

    public Recipe {
        if (!BLOCK_SIZES.contains(blockSize)) {
            throw new IllegalArgumentException(
                    "the block size must be one of %s: %d".formatted(BLOCK_SIZES, blockSize));
        }
        if (fineLayers < 0) {
            throw new IllegalArgumentException("the number of fine layers must not be negative: " + fineLayers);
        }
        if (contextTokens < 128) {
            throw new IllegalArgumentException("the context must be at least 128 tokens: " + contextTokens);
        }
    }

    /** The recipe of a precision with the defaults for the rest. */
    public static Recipe of(Precision precision) {
        return new Recipe(precision, DEFAULT_BLOCK_SIZE, DEFAULT_FINE_LAYERS, DEFAULT_CONTEXT_TOKENS);
    }

    /** The recipe in one line, such as {@code int4, blocks of 32}. */
    public String label() {
        return switch (precision) {
            case FP32 -> "fp32";
            case INT8 ->
                switch (fineLayers) {
                    case 0 -> "int8";
                    case 1 -> "int8, 16-bit activations in the first layer";
                    default -> "int8, 16-bit activations in the first %d layers".formatted(fineLayers);
                };
            case INT4 -> "int4, blocks of " + blockSize;
        };
    }
}
