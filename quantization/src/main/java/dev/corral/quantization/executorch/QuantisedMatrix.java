package dev.corral.quantization.executorch;

import dev.corral.quantization.checkpoint.CheckpointException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A matrix of 4-bit numbers around 8, two a byte, with a scale for each group of consecutive columns; a weight is
 * {@code (number - 8) * scale}. It stays where it is in the file.
 *
 * @param name for messages
 * @param group columns that share a scale; divides {@code columns}
 * @param lowFirst whether the first of two columns is in a byte's low half
 * @param numbers row by row
 * @param scales row by row
 */
record QuantisedMatrix(
        String name,
        int rows,
        int columns,
        int group,
        boolean lowFirst,
        MemorySegment numbers,
        ScaleType scaleType,
        MemorySegment scales) {

    /** How scales are stored; float32 holds all of them exactly. */
    enum ScaleType {
        FLOAT32(4),
        FLOAT16(2),
        BFLOAT16(2);

        private final int bytes;

        ScaleType(int bytes) {
            this.bytes = bytes;
        }
    }

    static final int MIDDLE = 8;

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /**
     * A matrix of this geometry.
     *
     * @throws CheckpointException if numbers or scales are too few or too many, or a scale is not finite
     */
    QuantisedMatrix {
        if (rows < 1 || columns < 1 || group < 1 || columns % group != 0 || columns % 2 != 0) {
            throw new CheckpointException("%s has %d rows of %d columns in groups of %d, which do not divide them"
                    .formatted(name, rows, columns, group));
        }
        if (numbers.byteSize() != (long) rows * columns / 2) {
            throw new CheckpointException("%s has %d bytes of numbers; %d rows of %d columns need %d"
                    .formatted(name, numbers.byteSize(), rows, columns, (long) rows * columns / 2));
        }
        long scaleCount = (long) rows * (columns / group);
        if (scales.byteSize() != scaleCount * scaleType.bytes) {
            throw new CheckpointException("%s has %d bytes of scales; %d scales need %d"
                    .formatted(name, scales.byteSize(), scaleCount, scaleCount * scaleType.bytes));
        }
        for (long i = 0; i < scaleCount; i++) {
            float scale = scale(scaleType, scales, i);
            if (!Float.isFinite(scale)) {
                throw new CheckpointException("%s: the scale of row %d, columns from %d on, is %s; bring the file again"
                        .formatted(name, i / (columns / group), i % (columns / group) * group, scale));
            }
        }
    }

    /** Columns that share a scale, counted in a row. */
    int groups() {
        return columns / group;
    }

    /** The number of a weight, 0 to 15. */
    int number(int row, int column) {
        int both = numbers.get(ValueLayout.JAVA_BYTE, ((long) row * columns + column) / 2);
        return (column % 2 == 0) == lowFirst ? both & 0xF : both >> 4 & 0xF;
    }

    /** The scale of a row's group. */
    float scale(int row, int groupInRow) {
        return scale(scaleType, scales, (long) row * groups() + groupInRow);
    }

    private static float scale(ScaleType type, MemorySegment scales, long index) {
        return switch (type) {
            case FLOAT32 -> scales.get(FLOAT, index * Float.BYTES);
            case FLOAT16 -> Float.float16ToFloat(scales.get(SHORT, index * Short.BYTES));
            case BFLOAT16 -> Float.intBitsToFloat(scales.get(SHORT, index * Short.BYTES) << Short.SIZE);
        };
    }
}
