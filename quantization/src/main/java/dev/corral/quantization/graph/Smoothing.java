package dev.corral.quantization.graph;

import java.util.Arrays;
import java.util.List;

/** Activations made even, so that steps of one size fit all of their tokens and columns. */
public final class Smoothing {

    /*
     * A few columns of what a norm puts out reach ten times as far as the others, always the same ones. Steps that are
     * large enough for those leave next to nothing of the rest, and so each token needs a scale of its own, which has to be
     * found, divided by and multiplied with, for every token and every product.
     *
     * SmoothQuant (arXiv 2211.10438) divides each column by a factor, in the norm's own weights, and multiplies the weights
     * that it meets by the same. That changes nothing but where the difficulty lies: a column that reaches far gets weights
     * that do, and weights have a scale for each output anyway. Then one step is enough, and it can be known in advance.
     * What attention puts out is a mean of values, so their projection takes the factors; heads that share values share
     * factors. What the neurons of an MLP put out is left alone: single tokens reach a thousand times as far there.
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

    private final int[] sources;
    private final float[] factors;
    private final float step;

    private Smoothing(int[] sources, float[] factors, float step) {
        this.sources = sources;
        this.factors = factors;
        this.step = step;
    }

    /**
     * Evens out columns.
     *
     * @param range how far each column reached from zero
     * @param matrices all that the columns are multiplied with
     * @param of what each column is made of, from 0: columns of one source are divided by one factor
     */
    static Smoothing of(float[] range, List<Matrix> matrices, List<Integer> of) {
        int[] sources = of.stream().mapToInt(source -> source).toArray();
        int count = Arrays.stream(sources).max().orElseThrow() + 1;
        float[] ranges = new float[count];
        float[] weights = new float[count];
        float[] columnWeights = ranges(matrices, range.length);
        for (int column = 0; column < range.length; column++) {
            int source = sources[column];
            ranges[source] = Math.max(ranges[source], range[column]);
            weights[source] = Math.max(weights[source], columnWeights[column]);
        }
        double[] logarithms = new double[count];
        for (int source = 0; source < count; source++) {
            logarithms[source] = MIGRATION * Math.log(Math.max(ranges[source], LEAST))
                    - (1 - MIGRATION) * Math.log(Math.max(weights[source], LEAST));
        }
        double mean = Arrays.stream(logarithms).average().orElseThrow();
        float[] factors = new float[count];
        float farthest = LEAST;
        for (int source = 0; source < count; source++) {
            factors[source] = (float) Math.exp(logarithms[source] - mean);
            farthest = Math.max(farthest, ranges[source] / factors[source]);
        }
        return new Smoothing(sources, factors, farthest / STEPS);
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

    /** The matrix that makes even columns, one row for each source. */
    Matrix smooth(Matrix matrix) {
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
                for (int column = 0; column < matrix.columns(); column++) {
                    target[column] /= factors[row];
                }
            }
        };
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
                for (int column = 0; column < sources.length; column++) {
                    target[column] *= factors[sources[column]];
                }
            }
        };
    }
}
