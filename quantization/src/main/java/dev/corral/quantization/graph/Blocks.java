package dev.corral.quantization.graph;

import dev.corral.quantization.recipe.Format;
import java.nio.ByteBuffer;

/**
 * A matrix in blocks of weights that share a scale, as {@code MatMulNBits} and {@code GatherBlockQuantized} of ONNX
 * Runtime store it: unsigned numbers around the middle of their range, for 4 bits two a byte with the first one low
 * ({@code onnxruntime:core/graph/contrib_ops/contrib_defs.cc}). The last block of a row is filled up with zeros.
 *
 * <p>The search for the scale of least error tries shorter and longer steps than the one that meets the farthest weight,
 * in both directions, as the range has one number more below zero than above. For the numbers that a step gives, the best
 * scale is the one of least squares, Σwq / Σq², and takes (Σwq)² / Σq² off the error: no step needs a second look.
 *
 * @param bits 4 or 8
 * @param size weights a block
 * @param search how scales are found
 */
record Blocks(Matrix matrix, int bits, int size, Format.Scales search) {

    /** Adding it to a small float leaves the nearest whole number in the last bits. */
    private static final float ROUNDING = 0x1.8p23f;

    private static final int ROUNDING_BITS = Float.floatToRawIntBits(ROUNDING);

    /** How far beyond the range's end, or short of it, the search lets the farthest weight come, in tenths of a step. */
    private static final int LONGEST_REACH = 9;

    int perRow() {
        return Math.ceilDiv(matrix.columns(), size);
    }

    Initializer scales(String name, long... shape) {
        return scales(name, ElementType.FLOAT, shape, ByteBuffer::putFloat);
    }

    /** Half the bytes; 4-bit numbers are made for scales of this precision. */
    Initializer halfScales(String name, long... shape) {
        return scales(name, ElementType.FLOAT16, shape, (target, scale) -> target.putShort(Halves.of(scale, name)));
    }

    Initializer weights(String name, long... shape) {
        return weights(name, ElementType.UINT8, 0, shape);
    }

    /** Numbers around zero instead of the middle, for operators that know no blocks. */
    Initializer signedWeights(String name, long... shape) {
        return weights(name, ElementType.INT8, middle(), shape);
    }

    private interface ScaleWriter {
        void put(ByteBuffer target, float scale);
    }

    private Initializer scales(String name, ElementType type, long[] shape, ScaleWriter writer) {
        Rows.Maker maker = (row, target) -> {
            for (int from = 0; from < row.length; from += size) {
                writer.put(target, scale(row, from));
            }
        };
        return new Initializer(
                name,
                type,
                Initializer.dimensions(shape),
                out -> new Rows(matrix).write(out, perRow() * size, perRow() * type.bytes(), maker));
    }

    private Initializer weights(String name, ElementType type, int origin, long... shape) {
        Rows.Maker maker = (row, target) -> {
            for (int from = 0; from < row.length; from += size) {
                quantise(row, from, origin, target);
            }
        };
        return new Initializer(
                name,
                type,
                Initializer.dimensions(shape),
                out -> new Rows(matrix).write(out, perRow() * size, perRow() * size * bits / Byte.SIZE, maker));
    }

    private void quantise(float[] row, int from, int origin, ByteBuffer target) {
        float scale = scale(row, from);
        float inverse = scale == 0 ? 0 : 1 / scale;
        int shift = middle() - origin;
        if (bits == Byte.SIZE) {
            for (int i = from; i < from + size; i++) {
                target.put((byte) (number(row[i], inverse) + shift));
            }
        } else {
            for (int i = from; i < from + size; i += 2) {
                int low = number(row[i], inverse) + shift;
                int high = number(row[i + 1], inverse) + shift;
                target.put((byte) (low | high << 4));
            }
        }
    }

    private float scale(float[] row, int from) {
        float scale = switch (search) {
            case RANGE -> farthest(row, from) / -middle(); // the lowest number: so the whole range is used
            case LEAST_SQUARES -> leastSquares(row, from);
            case CALIBRATED -> throw new IllegalStateException("calibrated numbers are not found in a matrix alone");
        };
        return bits == Byte.SIZE ? scale : Halves.rounded(scale);
    }

    /** The weight farthest from zero, or one that is no number. */
    private float farthest(float[] row, int from) {
        float farthest = 0;
        for (int i = from; i < from + size && !Float.isNaN(farthest); i++) {
            if (!(Math.abs(row[i]) <= Math.abs(farthest))) {
                farthest = row[i];
            }
        }
        return farthest;
    }

    private float leastSquares(float[] row, int from) {
        float farthest = farthest(row, from);
        float best = farthest / -middle();
        if (best == 0 || !Float.isFinite(best)) {
            return best;
        }
        float gain = 0;
        for (int reach = -LONGEST_REACH; reach <= LONGEST_REACH; reach++) {
            for (int direction = -1; direction <= 1; direction += 2) {
                float inverse = direction * (middle() + reach / 10f) / farthest;
                float product = 0;
                int squares = 0;
                for (int i = from; i < from + size; i++) {
                    int number = number(row[i], inverse);
                    product += row[i] * number;
                    squares += number * number;
                }
                if (product * product > gain * squares) {
                    gain = product * product / squares;
                    best = product / squares;
                }
            }
        }
        return best;
    }

    /** The number for a weight, from -middle to middle - 1. */
    private int number(float weight, float inverse) {
        int rounded = Float.floatToRawIntBits(weight * inverse + ROUNDING) - ROUNDING_BITS;
        return Math.clamp(rounded, -middle(), middle() - 1);
    }

    private int middle() {
        return 1 << (bits - 1);
    }
}
