package dev.corral.quantization.executorch;

import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/** A constant of float32 numbers. */
record FloatTensor(String name, List<Long> shape, MemorySegment data) implements Tensor {

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    FloatTensor {
        shape = List.copyOf(shape);
    }

    /**
     * Finds a constant in a program.
     *
     * @throws CheckpointException if its numbers are no float32 numbers, or one of them is not finite
     */
    static FloatTensor of(ProgramFile program, String name, Method.Value.Array constant) {
        if (constant.type() != Method.Value.Array.FLOAT32) {
            throw new CheckpointException("%s: %s has numbers of type %d in place of %d, float32"
                    .formatted(program.origin(), name, constant.type(), Method.Value.Array.FLOAT32));
        }
        FloatTensor tensor = new FloatTensor(name, constant.shape(), program.constant(constant, name));
        for (long at = 0; at < tensor.data.byteSize(); at += Float.BYTES) {
            if (!Float.isFinite(tensor.data.get(FLOAT, at))) {
                throw new CheckpointException("%s: number %d of %s is %s; bring the file again"
                        .formatted(program.origin(), at / Float.BYTES, name, tensor.data.get(FLOAT, at)));
            }
        }
        return tensor;
    }

    /** The same, of a constant that must have this shape. */
    static FloatTensor of(ProgramFile program, String name, Method.Value.Array constant, List<Long> shape) {
        if (!constant.shape().equals(shape)) {
            throw new CheckpointException("%s: %s should have the shape %s, but has %s"
                    .formatted(program.origin(), name, shape, constant.shape()));
        }
        return of(program, name, constant);
    }

    /** A constant that is a single number. */
    static float scalar(ProgramFile program, String name, Method.Value.Array constant) {
        return of(program, name, constant, List.of()).data.get(FLOAT, 0);
    }

    @Override
    public String storage() {
        return "F32";
    }

    @Override
    public void row(int row, float[] target) {
        int columns = columns();
        MemorySegment.copy(data, FLOAT, (long) row * columns * Float.BYTES, target, 0, columns);
    }
}
