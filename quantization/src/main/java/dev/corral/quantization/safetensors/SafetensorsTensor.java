package dev.corral.quantization.safetensors;

import dev.corral.quantization.checkpoint.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A tensor in a memory-mapped file: nothing is read before it is asked for.
 *
 * @param name as in the file
 * @param type how its elements are stored
 * @param shape outermost dimension first
 * @param data little-endian elements, row by row
 */
public record SafetensorsTensor(String name, Type type, List<Long> shape, MemorySegment data) implements Tensor {

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

    public SafetensorsTensor {
        shape = List.copyOf(shape);
    }

    @Override
    public String storage() {
        return type.name();
    }

    @Override
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

    @Override
    public SafetensorsTensor reshape(long rows, long columns) {
        if (Math.multiplyExact(rows, columns) != Math.multiplyExact((long) rows(), (long) columns())) {
            throw new IllegalArgumentException(
                    "tensor '%s' of shape %s does not fill %d rows of %d".formatted(name, shape, rows, columns));
        }
        return new SafetensorsTensor(name, type, List.of(rows, columns), data);
    }
}
