package dev.corral.quantization.safetensors;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * A tensor in a memory-mapped file: nothing is read before it is asked for.
 *
 * @param name as in the file
 * @param type how its elements are stored
 * @param shape outermost dimension first
 * @param data little-endian elements, row by row
 */
public record Tensor(String name, Type type, List<Long> shape, MemorySegment data) {

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Element types that carry weights. */
    public enum Type {
        F32(4),
        F16(2),
        BF16(2);

        private final int bytes;

        Type(int bytes) {
            this.bytes = bytes;
        }

        /** Bytes of one element. */
        public int bytes() {
            return bytes;
        }
    }

    public Tensor {
        shape = List.copyOf(shape);
    }

    /** Rows of a matrix, elements of a vector. */
    public int rows() {
        return Math.toIntExact(shape.getFirst());
    }

    /** Elements of one row: 1 for a vector. */
    public int columns() {
        return Math.toIntExact(shape.stream().skip(1).reduce(1L, Math::multiplyExact));
    }

    /** Copies one row as float32 into the start of {@code target}. */
    public void row(int row, float[] target) {
        int columns = columns();
        long offset = (long) row * columns * type.bytes();
        switch (type) {
            case F32 -> MemorySegment.copy(data, FLOAT, offset, target, 0, columns);
            case F16 -> {
                for (int i = 0; i < columns; i++) {
                    target[i] = Float.float16ToFloat(data.get(SHORT, offset + 2L * i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < columns; i++) {
                    target[i] = Float.intBitsToFloat(data.get(SHORT, offset + 2L * i) << 16);
                }
            }
        }
    }

    /** All elements of a vector, as float32. */
    public float[] vector() {
        if (shape.size() != 1) {
            throw new CheckpointException(
                    "tensor '%s' should be a vector, but has the shape %s".formatted(name, shape));
        }
        float[] values = new float[rows()];
        float[] one = new float[1];
        for (int i = 0; i < values.length; i++) {
            row(i, one);
            values[i] = one[0];
        }
        return values;
    }

    /** The same elements in as many rows and columns as they fill. */
    public Tensor reshape(long rows, long columns) {
        if (Math.multiplyExact(rows, columns) != Math.multiplyExact((long) rows(), (long) columns())) {
            throw new IllegalArgumentException(
                    "tensor '%s' of shape %s does not fill %d rows of %d".formatted(name, shape, rows, columns));
        }
        return new Tensor(name, type, List.of(rows, columns), data);
    }

    /** This tensor, if it has just this shape. */
    public Tensor requireShape(long... expected) {
        List<Long> wanted = Arrays.stream(expected).boxed().toList();
        if (!shape.equals(wanted)) {
            throw new CheckpointException(
                    "tensor '%s' should have the shape %s by config.json, but has %s".formatted(name, wanted, shape));
        }
        return this;
    }
}
