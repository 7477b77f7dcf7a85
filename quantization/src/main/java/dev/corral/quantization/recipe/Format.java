package dev.corral.quantization.recipe;

import dev.corral.guardmodels.store.Precision;
import java.util.List;
import java.util.Locale;

/** How a matrix is kept, and what its weights are multiplied with. */
public sealed interface Format {

    /** The precision of the weights. */
    Precision precision();

    /** For people, such as {@code int4 in blocks of 32}. */
    String label();

    /** Plain floats: exact, large and slow. */
    record Fp32() implements Format {

        @Override
        public Precision precision() {
            return Precision.FP32;
        }

        @Override
        public String label() {
            return "fp32";
        }
    }

    /** Half the bytes of fp32 on disk; computed in fp32. */
    record Fp16() implements Format {

        @Override
        public Precision precision() {
            return Precision.FP16;
        }

        @Override
        public String label() {
            return "fp16";
        }
    }

    /**
     * 8 bits with a scale a channel.
     *
     * @param activations what the weights are multiplied with
     */
    record Int8(Activations activations) implements Format {

        /** Whether calibration data decide on the numbers. */
        public boolean calibrated() {
            return activations == Activations.CALIBRATED;
        }

        @Override
        public Precision precision() {
            return Precision.INT8;
        }

        @Override
        public String label() {
            return switch (activations) {
                case INT8 -> "int8";
                case INT16 -> "int8 with 16-bit activations";
                case CALIBRATED -> "int8 with calibrated activations";
            };
        }
    }

    /**
     * 4 bits with a scale a block.
     *
     * @param blockSize weights that share a scale: 16, 32, 64, 128 or 256, the sizes that ONNX Runtime's
     *     {@code MatMulNBits} has kernels for
     * @param scales how a block's scale is found
     * @param exactActivations whether activations stay fp32, in place of 8 bits with a scale a block
     */
    record Int4(int blockSize, Scales scales, boolean exactActivations) implements Format {

        /** The sizes that blocks may have. */
        public static final List<Integer> BLOCK_SIZES = List.of(16, 32, 64, 128, 256);

        public Int4 {
            if (!BLOCK_SIZES.contains(blockSize)) {
                throw new IllegalArgumentException(
                        "the block size must be one of %s: %d".formatted(BLOCK_SIZES, blockSize));
            }
        }

        /** Whether calibration data decide on the numbers. */
        public boolean calibrated() {
            return scales == Scales.CALIBRATED;
        }

        @Override
        public Precision precision() {
            return Precision.INT4;
        }

        @Override
        public String label() {
            return "int4 in blocks of " + blockSize
                    + switch (scales) {
                        case RANGE -> "";
                        case LEAST_SQUARES -> " of least error";
                        case CALIBRATED -> ", calibrated";
                    }
                    + (exactActivations ? " with fp32 activations" : "");
        }
    }

    /** How activations are kept where they are multiplied with 8-bit weights. */
    enum Activations {
        /** 8 bits with a scale a token. */
        INT8,
        /** 16 bits with a scale a token. */
        INT16,
        /**
         * 8 bits with a scale a column, which was found by calibration data and costs nothing; where no norm precedes the
         * product, as {@link #INT8}.
         */
        CALIBRATED;

        /** The name in recipes, such as {@code int16}. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * As the checkpoint has it, number for number, where it has blocks that {@code MatMulNBits} takes.
     *
     * @param precision of most of the checkpoint's matrices
     * @param exactActivations whether activations stay fp32, in place of 8 bits with a scale a block
     * @param otherwise of the other matrices
     */
    record Stored(Precision precision, boolean exactActivations, Format otherwise) implements Format {

        public Stored {
            if (otherwise instanceof Stored
                    || (otherwise instanceof Int4 int4 && int4.calibrated())
                    || (otherwise instanceof Int8 int8 && int8.calibrated())) {
                throw new IllegalArgumentException("what is not as it should be must be quantised: " + otherwise);
            }
        }

        @Override
        public String label() {
            return "as stored" + (exactActivations ? " with fp32 activations" : "") + " or " + otherwise.label();
        }
    }

    /** How the scale of a block is found. */
    enum Scales {
        /** The weight farthest from zero is met exactly. */
        RANGE,
        /** The sum of squared errors is the least that a search finds; the farthest weights may be cut off. */
        LEAST_SQUARES,
        /** Numbers and scales are such that the products with what was read of calibration data stay what they are. */
        CALIBRATED;

        /** The name in recipes, such as {@code least-squares}. */
        public String label() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }
}
