package dev.corral.quantization.graph;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A matrix in blocks of weights that share a scale, as {@code MatMulNBits} and {@code GatherBlockQuantized} of ONNX
 * Runtime store it: unsigned numbers around the middle of their range, for 4 bits two a byte with the first one low
 * ({@code onnxruntime:core/graph/contrib_ops/contrib_defs.cc}). The last block of a row is filled up with zeros.
 *
 * @param bits 4 or 8
 * @param size weights a block
 */
record Blocks(Matrix matrix, int bits, int size) {

    int perRow() {
        return Math.ceilDiv(matrix.columns(), size);
    }

    Initializer scales(String name, long... shape) {
        return new Initializer(name, ElementType.FLOAT, Initializer.dimensions(shape), this::writeScales);
    }

    Initializer weights(String name, long... shape) {
        return new Initializer(name, ElementType.UINT8, Initializer.dimensions(shape), out -> writeWeights(out, 0));
    }

    /** Numbers around zero instead of the middle, for operators that know no blocks. */
    Initializer signedWeights(String name, long... shape) {
        return new Initializer(
                name, ElementType.INT8, Initializer.dimensions(shape), out -> writeWeights(out, middle()));
    }

    private void writeScales(OutputStream out) throws IOException {
        float[] row = new float[perRow() * size];
        ByteBuffer scales = ByteBuffer.allocate(perRow() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int r = 0; r < matrix.rows(); r++) {
            matrix.row(r, row);
            scales.clear();
            for (int block = 0; block < perRow(); block++) {
                scales.putFloat(scale(row, block));
            }
            out.write(scales.array());
        }
    }

    private void writeWeights(OutputStream out, int origin) throws IOException {
        float[] row = new float[perRow() * size];
        byte[] quantised = new byte[row.length];
        for (int r = 0; r < matrix.rows(); r++) {
            matrix.row(r, row);
            for (int block = 0; block < perRow(); block++) {
                quantise(row, block, quantised, origin);
            }
            out.write(bits == 8 ? quantised : pairs(quantised));
        }
    }

    /** The weight farthest from zero becomes the lowest number, so that the whole range is used. */
    private float scale(float[] row, int block) {
        float farthest = 0;
        for (int i = block * size; i < (block + 1) * size; i++) {
            if (Math.abs(row[i]) > Math.abs(farthest)) {
                farthest = row[i];
            }
        }
        return farthest / -middle();
    }

    private void quantise(float[] row, int block, byte[] target, int origin) {
        float scale = scale(row, block);
        float inverse = scale == 0 ? 0 : 1 / scale;
        for (int i = block * size; i < (block + 1) * size; i++) {
            target[i] = (byte) (Math.clamp(Math.round(row[i] * inverse) + middle(), 0, 2 * middle() - 1) - origin);
        }
    }

    private int middle() {
        return 1 << (bits - 1);
    }

    private static byte[] pairs(byte[] numbers) {
        byte[] packed = new byte[numbers.length / 2];
        for (int i = 0; i < packed.length; i++) {
            packed[i] = (byte) (numbers[2 * i] | numbers[2 * i + 1] << 4);
        }
        return packed;
    }
}
