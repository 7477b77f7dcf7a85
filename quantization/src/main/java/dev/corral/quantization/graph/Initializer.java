package dev.corral.quantization.graph;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * A constant tensor of a graph. Its bytes are made only when they are written, so that a model larger than the memory
 * can be converted.
 *
 * @param shape outermost dimension first; empty for a scalar
 * @param source writes exactly {@link #byteLength()} little-endian bytes, the same ones each time
 */
record Initializer(String name, ElementType type, List<Long> shape, Source source) {

    Initializer {
        shape = List.copyOf(shape);
    }

    /** Writes the bytes of a tensor. */
    @FunctionalInterface
    interface Source {
        void writeTo(OutputStream out) throws IOException;
    }

    static Initializer floats(String name, float[] values, long... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return new Initializer(name, ElementType.FLOAT, dimensions(shape), out -> out.write(bytes.array()));
    }

    /** A single number. */
    static Initializer floats(String name, float value) {
        return floats(name, new float[] {value});
    }

    static Initializer longs(String name, long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        return new Initializer(name, ElementType.INT64, dimensions(values.length), out -> out.write(bytes.array()));
    }

    static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    static List<Long> dimensions(long... shape) {
        return Arrays.stream(shape).boxed().toList();
    }

    long byteLength() {
        return shape.stream().reduce((long) type.bytes(), Math::multiplyExact);
    }
}
