package dev.corral.quantization.graph;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * A matrix row by row, as embeddings are stored: float32 or float16. All that is written of a matrix in the order of its
 * rows is made here, a band of rows at a time, by all processors: memory stays bounded however large the matrix is.
 */
record Rows(Matrix matrix) {

    private static final int BAND_BYTES = 4 << 20;
    private static final int PIECES = 16;

    /** Makes the bytes of one row; called by several threads at once. */
    @FunctionalInterface
    interface Maker {

        /**
         * Puts the bytes of a row.
         *
         * @param row its weights, followed by zeros
         */
        void make(float[] row, ByteBuffer target);
    }

    Initializer floats(String name) {
        return initializer(name, ElementType.FLOAT, (row, target) -> {
            for (float weight : row) {
                target.putFloat(weight);
            }
        });
    }

    Initializer halves(String name) {
        return initializer(name, ElementType.FLOAT16, (row, target) -> {
            for (float weight : row) {
                target.putShort(Halves.of(weight, name));
            }
        });
    }

    private Initializer initializer(String name, ElementType type, Maker maker) {
        int columns = matrix.columns();
        return new Initializer(
                name,
                type,
                Initializer.dimensions(matrix.rows(), columns),
                out -> write(out, columns, columns * type.bytes(), maker));
    }

    /**
     * Writes the bytes that are made of each row.
     *
     * @param width weights that are made bytes of; the row is filled up with zeros
     * @param rowBytes bytes that are made of each row
     */
    void write(OutputStream out, int width, int rowBytes, Maker maker) throws IOException {
        write(out, matrix.rows(), rowBytes, () -> {
            float[] row = new float[width];
            return (r, target) -> {
                matrix.row(r, row);
                maker.make(row, target);
            };
        });
    }

    /** Puts the bytes of a row. */
    @FunctionalInterface
    interface RowWriter {
        void put(int row, ByteBuffer target);
    }

    /**
     * Writes the bytes of rows.
     *
     * @param rowBytes bytes of each row
     * @param writers makes one for the rows of one thread
     */
    static void write(OutputStream out, int rows, int rowBytes, Supplier<RowWriter> writers) throws IOException {
        int bandRows = Math.max(1, BAND_BYTES / rowBytes);
        byte[] band = new byte[Math.min(bandRows, rows) * rowBytes];
        for (int first = 0; first < rows; first += bandRows) {
            int from = first;
            int count = Math.min(bandRows, rows - first);
            IntStream.range(0, PIECES).parallel().forEach(piece -> {
                RowWriter writer = writers.get();
                int start = count * piece / PIECES;
                int end = count * (piece + 1) / PIECES;
                ByteBuffer target = ByteBuffer.wrap(band, start * rowBytes, (end - start) * rowBytes)
                        .order(ByteOrder.LITTLE_ENDIAN);
                for (int r = start; r < end; r++) {
                    writer.put(from + r, target);
                }
            });
            out.write(band, 0, count * rowBytes);
        }
    }
}
