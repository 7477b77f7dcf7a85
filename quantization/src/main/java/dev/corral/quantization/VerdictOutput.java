package dev.corral.quantization;

import dev.corral.quantization.graph.Matrix;
import java.util.Arrays;
import java.util.List;

/** The output matrix of a vocabulary of which only some rows are left; all other tokens have one row in common. */
final class VerdictOutput implements Matrix {

    private static final int OTHER = -1;

    private final Matrix kept;
    private final int[] places;
    private final float[] others;

    /**
     * An output.
     *
     * @param kept the rows that are left
     * @param tokens the token of each of them
     * @param others the row of all other tokens
     */
    VerdictOutput(int vocabulary, Matrix kept, List<Integer> tokens, float[] others) {
        this.kept = kept;
        this.places = new int[vocabulary];
        this.others = others.clone();
        Arrays.fill(places, OTHER);
        for (int i = 0; i < tokens.size(); i++) {
            places[tokens.get(i)] = i;
        }
    }

    /** The mean of the rows that are left: its logit is the mean of theirs, and never above the highest. */
    static float[] mean(Matrix kept) {
        float[] mean = new float[kept.columns()];
        float[] row = new float[kept.columns()];
        for (int i = 0; i < kept.rows(); i++) {
            kept.row(i, row);
            for (int column = 0; column < row.length; column++) {
                mean[column] += row[column] / kept.rows();
            }
        }
        return mean;
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
            System.arraycopy(others, 0, target, 0, others.length);
        } else {
            kept.row(places[row], target);
        }
    }
}
