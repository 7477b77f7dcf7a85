package dev.corral.quantization.graph;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A matrix turned on its side, one column an output, as {@code MatMul} and its integer kin of ONNX take it: float32, or
 * int8 with one symmetric scale a column.
 */
record Channels(Matrix matrix) {

    private static final int INT8_MAX = 127;

    Initializer floats(String name) {
        return new Initializer(name, ElementType.FLOAT, shape(), out -> {
            int outputs = matrix.rows();
            ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact((long) outputs * matrix.columns() * Float.BYTES))
                    .order(ByteOrder.LITTLE_ENDIAN);
            float[] row = new float[matrix.columns()];
            for (int r = 0; r < outputs; r++) {
                matrix.row(r, row);
                for (int c = 0; c < row.length; c++) {
                    bytes.putFloat((c * outputs + r) * Float.BYTES, row[c]);
                }
            }
            out.write(bytes.array());
        });
    }

    Initializer int8(String name) {
        return new Initializer(name, ElementType.INT8, shape(), out -> {
            int outputs = matrix.rows();
            byte[] bytes = new byte[Math.multiplyExact(outputs, matrix.columns())];
            float[] row = new float[matrix.columns()];
            for (int r = 0; r < outputs; r++) {
                matrix.row(r, row);
                float scale = scale(row);
                float inverse = scale == 0 ? 0 : 1 / scale;
                for (int c = 0; c < row.length; c++) {
                    bytes[c * outputs + r] = (byte) Math.round(row[c] * inverse);
                }
            }
            out.write(bytes);
        });
    }

    Initializer int8Scales(String name) {
        return new Initializer(name, ElementType.FLOAT, Initializer.dimensions(matrix.rows()), out -> {
            ByteBuffer scales = ByteBuffer.allocate(matrix.rows() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            float[] row = new float[matrix.columns()];
            for (int r = 0; r < matrix.rows(); r++) {
                matrix.row(r, row);
                scales.putFloat(scale(row));
            }
            out.write(scales.array());
        });
    }

    private static float scale(float[] row) {
        float farthest = 0;
        for (float weight : row) {
            farthest = Math.max(farthest, Math.abs(weight));
        }
        return farthest / INT8_MAX;
    }

    private List<Long> shape() {
        return Initializer.dimensions(matrix.columns(), matrix.rows());
    }
}
