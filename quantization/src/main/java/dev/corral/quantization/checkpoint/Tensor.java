package dev.corral.quantization.checkpoint;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A tensor in a memory-mapped file: nothing is read before it is asked for. Safe for use by many threads. */
public interface Tensor {

    String name();

    /** How its elements are stored, for people, such as {@code BF16}. */
    String storage();

    /** Outermost dimension first. */
    List<Long> shape();

    /** Copies one row as float32 into the start of {@code target}. */
    void row(int row, float[] target);

    /** The numbers that the rows are stored as, where they are whole numbers in blocks that share a scale. */
    default Optional<Quantised> quantised() {
        return Optional.empty();
    }

    /** Rows of a matrix, elements of a vector. */
    default int rows() {
        return Math.toIntExact(shape().getFirst());
    }

    /** Elements of one row: 1 for a vector. */
    default int columns() {
        return Math.toIntExact(shape().stream().skip(1).reduce(1L, Math::multiplyExact));
    }

    /** All elements of a vector, as float32. */
    default float[] vector() {
        if (shape().size() != 1) {
            throw new CheckpointException(
                    "tensor '%s' should be a vector, but has the shape %s".formatted(name(), shape()));
        }
        float[] values = new float[rows()];
        float[] one = new float[1];
        for (int i = 0; i < values.length; i++) {
            row(i, one);
            values[i] = one[0];
        }
        return values;
    }

    /**
     * The same elements in as many rows and columns as they fill.
     *
     * @throws CheckpointException if they are not stored one by one, but rows at a time
     */
    default Tensor reshape(long rows, long columns) {
        throw new CheckpointException(
                "tensor '%s' is stored as %s, which cannot be cut into %d rows of %d: take weights in safetensors files"
                        .formatted(name(), storage(), rows, columns));
    }

    /** This tensor, if it has just this shape. */
    default Tensor requireShape(long... expected) {
        List<Long> wanted = Arrays.stream(expected).boxed().toList();
        if (!shape().equals(wanted)) {
            throw new CheckpointException(
                    "tensor '%s' should have the shape %s by the model's configuration, but has %s"
                            .formatted(name(), wanted, shape()));
        }
        return this;
    }

    /** The bytes of a tensor, or -1 where they are too many to be told. */
    static long bytes(List<Long> shape, int elementBytes) {
        long bytes = elementBytes;
        for (long dimension : shape) {
            if (dimension < 0 || Math.multiplyHigh(bytes, dimension) != 0 || bytes * dimension < 0) {
                return -1;
            }
            bytes *= dimension;
        }
        return bytes;
    }
}
