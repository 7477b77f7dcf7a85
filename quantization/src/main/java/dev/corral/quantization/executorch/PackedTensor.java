package dev.corral.quantization.executorch;

import dev.corral.quantization.checkpoint.Quantised;
import dev.corral.quantization.checkpoint.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/**
 * A matrix of 4-bit numbers as a tensor of a checkpoint.
 *
 * @param place the row of the file that a row of the tensor is
 */
record PackedTensor(String name, QuantisedMatrix matrix, IntUnaryOperator place) implements Tensor, Quantised {

    private static final int BITS = 4;

    /** The rows as they are in the file. */
    static PackedTensor asStored(String name, QuantisedMatrix matrix) {
        return new PackedTensor(name, matrix, row -> row);
    }

    /**
     * Queries or keys in the order that Hugging Face has them in: the rotary embedding turns a value of a head's first
     * half with one of its second half. In Meta's order, which programs have, it turns neighbours.
     */
    static PackedTensor inHalves(String name, QuantisedMatrix matrix, int headSize) {
        int half = headSize / 2;
        return new PackedTensor(name, matrix, row -> {
            int inHead = row % headSize;
            return row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
        });
    }

    @Override
    public String storage() {
        return "4 bits in groups of " + matrix.group();
    }

    @Override
    public List<Long> shape() {
        return List.of((long) matrix.rows(), (long) matrix.columns());
    }

    @Override
    public void row(int row, float[] target) {
        int stored = place.applyAsInt(row);
        for (int group = 0; group < matrix.groups(); group++) {
            float scale = matrix.scale(stored, group);
            int end = (group + 1) * matrix.group();
            for (int column = group * matrix.group(); column < end; column++) {
                target[column] = (matrix.number(stored, column) - QuantisedMatrix.MIDDLE) * scale;
            }
        }
    }

    @Override
    public Optional<Quantised> quantised() {
        return Optional.of(this);
    }

    @Override
    public Layout layout() {
        return new Layout(BITS, matrix.group(), matrix.scaleType() == QuantisedMatrix.ScaleType.FLOAT16, false);
    }

    @Override
    public void numbers(int row, byte[] target) {
        int stored = place.applyAsInt(row);
        for (int column = 0; column < matrix.columns(); column++) {
            target[column] = (byte) (matrix.number(stored, column) - QuantisedMatrix.MIDDLE);
        }
    }

    @Override
    public void scales(int row, float[] target) {
        int stored = place.applyAsInt(row);
        for (int group = 0; group < matrix.groups(); group++) {
            target[group] = matrix.scale(stored, group);
        }
    }

    @Override
    public void offsets(int row, float[] target) {
        throw new IllegalStateException("the numbers of a program have no offsets");
    }
}
