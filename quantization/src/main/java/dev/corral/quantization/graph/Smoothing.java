package dev.corral.quantization.graph;

import java.util.List;

/** What a norm puts out, made even, so that steps of one size fit all of its tokens and columns. */
public final class Smoothing {

    /*
     * A few columns of what a norm puts out reach ten times as far as the others, always the same ones. Steps that are
     * large enough for those leave next to nothing of the rest, and so each token needs a scale of its own, which has to be
     * found, divided by and multiplied with, for every token and every product.
     *
     * SmoothQuant (arXiv 2211.10438) divides each column by a factor, in the norm's own weights, and multiplies the weights
     * that it meets by the same. That changes nothing but where the difficulty lies: a column that reaches far gets weights
     * that do, and weights have a scale for each output anyway. Then one step is enough, and it can be known in advance.
     *
     * What reaches farther than anything in the calibration data is cut off at 127 steps: its sign and its column still
     * count. A token's result depends on its own row as before, now even on fewer operations.
     */

    /**
     * How much of the difficulty goes to the weights: 0 nothing, 1 all. The paper takes 0.5 to 0.75; of 0.5, 0.65, 0.8 and
     * 0.95 this one lost least of the starter guard.
     */
    private static final double MIGRATION = 0.65;

    private static final float STEPS = 127;

    /** What a column that never moved is taken to reach, for the sake of finite factors. */
    private static final float LEAST = 1e-5f;

    private final float[] factors;
    private final float step;

    private Smoothing(float[] factors, float step) {
        this.factors = factors;
        this.step = step;
    }

    /**
     * Evens out columns.
     *
     * @param range how far each column reached from zero
     * @param matrices all that the columns are multiplied with
     */
    static Smoothing of(float[] range, List<Matrix> matrices) {
        double[] logarithms = new double[range.length];
        float[] weights = ranges(matrices, range.length);
        double sum = 0;
        for (int column = 0; column < range.length; column++) {
            logarithms[column] = MIGRATION * Math.log(Math.max(range[column], LEAST))
                    - (1 - MIGRATION) * Math.log(Math.max(weights[column], LEAST));
            sum += logarithms[column];
        }
        float[] factors = new float[range.length];
        float farthest = LEAST;
        for (int column = 0; column < range.length; column++) {
            factors[column] = (float) Math.exp(logarithms[column] - sum / range.length);
            farthest = Math.max(farthest, range[column] / factors[column]);
        }
        return new Smoothing(factors, farthest / STEPS);
    }

    private static float[] ranges(List<Matrix> matrices, int columns) {
        float[] ranges = new float[columns];
        float[] row = new float[columns];
        for (Matrix matrix : matrices) {
            for (int r = 0; r < matrix.rows(); r++) {
                matrix.row(r, row);
                for (int column = 0; column < columns; column++) {
                    ranges[column] = Math.max(ranges[column], Math.abs(row[column]));
                }
            }
        }
        return ranges;
    }

    /** The size of a step. */
    float step() {
        return step;
    }

    /** The weights of a norm that puts out even columns. */
    float[] smooth(float[] norm) {
        float[] smooth = new float[norm.length];
        for (int column = 0; column < norm.length; column++) {
            smooth[column] = norm[column] / factors[column];
        }
        return smooth;
    }

    /** The matrix for even columns. */
    Matrix rough(Matrix matrix) {
        return new Matrix() {
            @Override
            public int rows() {
                return matrix.rows();
            }

            @Override
            public int columns() {
                return matrix.columns();
            }

            @Override
            public void row(int row, float[] target) {
                matrix.row(row, target);
                for (int column = 0; column < factors.length; column++) {
                    target[column] *= factors[column];
                }
            }
        };
    }
}
