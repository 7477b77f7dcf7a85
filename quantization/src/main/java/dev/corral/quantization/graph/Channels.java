package dev.corral.quantization.graph;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A matrix turned on its side, one column an output, as {@code MatMul} and its integer kin of ONNX take it: float32,
 * float16, or int8 with one symmetric scale a column. It is turned in memory, a strip of columns at a time for each
 * processor.
 */
record Channels(Matrix matrix) {

    private static final int INT8_MAX = 127;
    private static final int STRIP = 64;

    Initializer floats(String name) {
        return turned(name, ElementType.FLOAT, (row, target) -> {
            for (float weight : row) {
                target.putFloat(weight);
            }
        });
    }

    Initializer halves(String name) {
        return turned(name, ElementType.FLOAT16, (row, target) -> {
            for (float weight : row) {
                target.putShort(Halves.of(weight, name));
            }
        });
    }

    Initializer int8(String name) {
        return turned(name, ElementType.INT8, (row, target) -> {
            float scale = scale(row);
            float inverse = scale == 0 ? 0 : 1 / scale;
            for (float weight : row) {
                target.put((byte) Math.round(weight * inverse));
            }
        });
    }

    Initializer int8Scales(String name) {
        return new Initializer(
                name,
                ElementType.FLOAT,
                Initializer.dimensions(matrix.rows()),
                out -> new Rows(matrix)
                        .write(out, matrix.columns(), Float.BYTES, (row, target) -> target.putFloat(scale(row))));
    }

    private static float scale(float[] row) {
        float farthest = 0;
        for (float weight : row) {
            farthest = Math.max(farthest, Math.abs(weight));
        }
        return farthest / INT8_MAX;
    }

    private Initializer turned(String name, ElementType type, Rows.Maker maker) {
        List<Long> shape = Initializer.dimensions(matrix.columns(), matrix.rows());
        return new Initializer(name, type, shape, out -> writeTurned(out, type.bytes(), maker));
    }

    private void writeTurned(OutputStream out, int elementBytes, Rows.Maker maker) throws IOException {
        int outputs = matrix.rows();
        int inputs = matrix.columns();
        byte[] turned = new byte[Math.toIntExact((long) outputs * inputs * elementBytes)];
        IntStream.range(0, Math.ceilDiv(outputs, STRIP)).parallel().forEach(strip -> {
            int first = strip * STRIP;
            int width = Math.min(STRIP, outputs - first);
            float[] row = new float[inputs];
            byte[] straight = new byte[width * inputs * elementBytes];
            ByteBuffer target = ByteBuffer.wrap(straight).order(ByteOrder.LITTLE_ENDIAN);
            for (int r = 0; r < width; r++) {
                matrix.row(first + r, row);
                maker.make(row, target);
            }
            for (int c = 0; c < inputs; c++) {
                int to = (c * outputs + first) * elementBytes;
                for (int r = 0; r < width; r++) {
                    int from = (r * inputs + c) * elementBytes;
                    for (int b = 0; b < elementBytes; b++) {
                        turned[to++] = straight[from + b];
                    }
                }
            }
        });
        out.write(turned);
    }
}
