package dev.corral.quantization;

import dev.corral.quantization.graph.Matrix;
import java.util.Arrays;
import java.util.List;

/**
 * The output matrix of a vocabulary of which only some rows are left. Every other token gets the mean of these rows: its
 * logit is the mean of theirs, and a mean is never above the highest.
 */
final class VerdictOutput implements Matrix {

    private static final int OTHER = -1;

    private final Matrix kept;
    private final int[] places;
    private final float[] mean;

    /**
     * An output.
     *
     * @param kept the rows that are left
     * @param tokens the token of each of them
     */
    VerdictOutput(int vocabulary, Matrix kept, List<Integer> tokens) {
        this.kept = kept;
        this.places = new int[vocabulary];
        Arrays.fill(places, OTHER);
        this.mean = new float[kept.columns()];
        float[] row = new float[kept.columns()];
        for (int i = 0; i < tokens.size(); i++) {
            places[tokens.get(i)] = i;
            kept.row(i, row);
            for (int column = 0; column < row.length; column++) {
                mean[column] += row[column] / tokens.size();
            }
        }
    }

    @Override
    public int rows() {
        return places.length;
    }

    @Override
    public int columns() {
        return kept.columns();
    }

    @Override
    public void row(int row, float[] target) {
        if (places[row] == OTHER) {
            System.arraycopy(mean, 0, target, 0, mean.length);
        } else {
            kept.row(places[row], target);
        }
    }
}
