package dev.corral.quantization.graph;

import dev.corral.quantization.safetensors.CheckpointException;
import dev.corral.quantization.safetensors.Tensor;
import java.util.List;

/** A weight matrix as Hugging Face stores it: one row an output, one column an input; read row by row. */
public interface Matrix {

    int rows();

    int columns();

    /** Copies one row to the start of {@code target}. */
    void row(int row, float[] target);

    /** A tensor of two dimensions. */
    static Matrix of(Tensor tensor) {
        if (tensor.shape().size() != 2) {
            throw new CheckpointException(
                    "tensor '%s' should be a matrix, but has the shape %s".formatted(tensor.name(), tensor.shape()));
        }
        return new Matrix() {
            @Override
            public int rows() {
                return tensor.rows();
            }

            @Override
            public int columns() {
                return tensor.columns();
            }

            @Override
            public void row(int row, float[] target) {
                tensor.row(row, target);
            }
        };
    }

    /** The rows of several matrices of the same width, one below the other. */
    static Matrix stack(List<Matrix> parts) {
        return new Matrix() {
            @Override
            public int rows() {
                return parts.stream().mapToInt(Matrix::rows).sum();
            }

            @Override
            public int columns() {
                return parts.getFirst().columns();
            }

            @Override
            public void row(int row, float[] target) {
                int rest = row;
                for (Matrix part : parts) {
                    if (rest < part.rows()) {
                        part.row(rest, target);
                        return;
                    }
                    rest -= part.rows();
                }
                throw new IndexOutOfBoundsException(row);
            }
        };
    }

    /** Only these rows, in this order. */
    default Matrix select(List<Integer> rows) {
        Matrix all = this;
        return new Matrix() {
            @Override
            public int rows() {
                return rows.size();
            }

            @Override
            public int columns() {
                return all.columns();
            }

            @Override
            public void row(int row, float[] target) {
                all.row(rows.get(row), target);
            }
        };
    }

    /** Only these columns, in this order. */
    default Matrix selectColumns(List<Integer> columns) {
        Matrix all = this;
        int[] chosen = columns.stream().mapToInt(column -> column).toArray();
        return new Matrix() {
            @Override
            public int rows() {
                return all.rows();
            }

            @Override
            public int columns() {
                return chosen.length;
            }

            @Override
            public void row(int row, float[] target) {
                float[] whole = new float[all.columns()];
                all.row(row, whole);
                for (int i = 0; i < chosen.length; i++) {
                    target[i] = whole[chosen[i]];
                }
            }
        };
    }
}
