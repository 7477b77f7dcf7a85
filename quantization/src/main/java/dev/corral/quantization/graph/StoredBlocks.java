package dev.corral.quantization.graph;

import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Quantised;
import java.util.function.Supplier;

/**
 * A matrix that was quantised before, as {@code MatMulNBits} and {@code GatherBlockQuantized} of ONNX Runtime store it:
 * its very numbers and scales, where {@link Blocks} makes new ones.
 */
record StoredBlocks(Matrix matrix, Quantised stored) {

    int bits() {
        return stored.layout().bits();
    }

    int size() {
        return stored.layout().blockSize();
    }

    int perRow() {
        return matrix.columns() / size();
    }

    /** Bytes of the numbers of one block. */
    int blockBytes() {
        return size() * bits() / Byte.SIZE;
    }

    /** Unsigned numbers around the middle of their range, for 4 bits two a byte with the first one low. */
    Initializer weights(String name, long... shape) {
        int middle = 1 << (bits() - 1);
        return initializer(name, ElementType.UINT8, perRow() * blockBytes(), shape, () -> {
            byte[] numbers = new byte[matrix.columns()];
            return (row, target) -> {
                stored.numbers(row, numbers);
                if (bits() == Byte.SIZE) {
                    for (byte number : numbers) {
                        target.put((byte) (number + middle));
                    }
                } else {
                    for (int i = 0; i < numbers.length; i += 2) {
                        target.put((byte) (numbers[i] + middle | (numbers[i + 1] + middle) << 4));
                    }
                }
            };
        });
    }

    /** The scales: as halves where these tell them exactly. */
    Initializer scales(String name, long... shape) {
        boolean halves = stored.layout().halfScales();
        ElementType type = halves ? ElementType.FLOAT16 : ElementType.FLOAT;
        return initializer(name, type, perRow() * type.bytes(), shape, () -> {
            float[] scales = new float[perRow()];
            return (row, target) -> {
                stored.scales(row, scales);
                for (float scale : scales) {
                    require(scale, name, row);
                    if (halves) {
                        target.putShort(Halves.of(scale, name));
                    } else {
                        target.putFloat(scale);
                    }
                }
            };
        });
    }

    /** The offsets of the blocks, as a matrix (blocks, outputs) to multiply the sums of inputs with. */
    Initializer offsets(String name) {
        float[] turned = new float[perRow() * matrix.rows()];
        float[] offsets = new float[perRow()];
        for (int row = 0; row < matrix.rows(); row++) {
            stored.offsets(row, offsets);
            for (int block = 0; block < offsets.length; block++) {
                require(offsets[block], name, row);
                turned[block * matrix.rows() + row] = offsets[block];
            }
        }
        return Initializer.floats(name, turned, perRow(), matrix.rows());
    }

    private static void require(float number, String name, int row) {
        if (!Float.isFinite(number)) {
            throw new CheckpointException(
                    "%s holds a scale that is no number, in row %d: %s. The file is damaged: get it again."
                            .formatted(name, row, number));
        }
    }

    private Initializer initializer(
            String name, ElementType type, int rowBytes, long[] shape, Supplier<Rows.RowWriter> writers) {
        return new Initializer(
                name, type, Initializer.dimensions(shape), out -> Rows.write(out, matrix.rows(), rowBytes, writers));
    }
}
