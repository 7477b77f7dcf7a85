package dev.corral.quantization.graph;

import dev.corral.quantization.recipe.RecipeException;
import java.util.stream.IntStream;

/**
 * Chooses the 4-bit numbers of a matrix so that its products stay what they are, where rounding each weight to the
 * nearest number would keep only the weights: GPTQ (Frantar et al., arXiv 2210.17323).
 *
 * <p>Let a row have the errors e, its weights less what the numbers stand for. Over the inputs X that were watched its
 * products are off by |Xe|² = eᵀHe, where H = XᵀX, and inputs that rise and fall together let errors make up for each
 * other. With H = RRᵀ for an upper triangular R that sum is Σ Rᵢᵢ² (eᵢ + Σ eⱼRⱼᵢ/Rᵢᵢ)² over j before i: each term knows
 * only the columns up to its own. So columns are taken in order, and each weight is rounded after the errors before it
 * have been added to it in these shares, which makes its term the least that it can be. That is the algorithm of the
 * paper without its inverse: the shares are the rows of the inverse's Cholesky factor, up to their sign (QuIP, arXiv
 * 2307.13304, shows the two to be one). Where H is diagonal nothing is shared, and every weight is rounded by itself.
 *
 * <p>Inputs that were seldom seen must not be believed to be worth nothing: a hundredth of the mean is added to the
 * diagonal.
 *
 * <p>H takes 8 bytes for each pair of columns, and K³/3 steps to factor; a matrix takes K²/2 steps a row. Rows are rounded
 * by bands: what a band adds to its later columns it adds for one row of R after the other, which stays in the cache.
 */
final class ErrorFeedback {

    private static final double DAMPING = 0.01;
    private static final int PANEL = 64;
    private static final int BAND = 16;
    private static final int LOWEST = -RoundedMatrix.MIDDLE;
    private static final int HIGHEST = RoundedMatrix.MIDDLE - 1;

    private final int columns;

    /** Of column i the error of column j is added to, in row j; 1 on the diagonal. */
    private final double[][] shares;

    /**
     * Learns from inputs.
     *
     * @param products XᵀX of the inputs, of which the upper triangle counts; taken over, and changed
     * @throws RecipeException if they are not finite
     */
    ErrorFeedback(double[][] products) {
        this.columns = products.length;
        this.shares = products;
        damp();
        factor();
        double[] inverse =
                IntStream.range(0, columns).mapToDouble(i -> 1 / shares[i][i]).toArray();
        IntStream.range(0, columns).parallel().forEach(j -> {
            for (int i = j; i < columns; i++) {
                shares[j][i] *= inverse[i];
            }
        });
    }

    private void damp() {
        double sum = 0;
        for (int i = 0; i < columns; i++) {
            sum += shares[i][i];
        }
        double damping = DAMPING * sum / columns;
        if (!(damping > 0) || !Double.isFinite(damping)) {
            throw new RecipeException("the model's activations on the calibration data are not finite, or all zero");
        }
        for (int i = 0; i < columns; i++) {
            shares[i][i] += damping;
        }
    }

    /**
     * Puts R into the upper triangle, a panel of columns at a time from the right: the panel's own square, then its
     * rows above, then what it takes off everything to its left.
     */
    private void factor() {
        double[][] panel = new double[PANEL][columns];
        for (int end = columns; end > 0; end -= PANEL) {
            int start = Math.max(0, end - PANEL);
            for (int i = end - 1; i >= start; i--) {
                shares[i][i] = Math.sqrt(shares[i][i]);
                for (int j = start; j < i; j++) {
                    shares[j][i] /= shares[i][i];
                }
                for (int j = start; j < i; j++) {
                    for (int k = j; k < i; k++) {
                        shares[j][k] -= shares[j][i] * shares[k][i];
                    }
                }
            }
            int last = end;
            IntStream.range(0, start).parallel().forEach(j -> {
                double[] row = shares[j];
                for (int i = last - 1; i >= start; i--) {
                    row[i] /= shares[i][i];
                    for (int k = start; k < i; k++) {
                        row[k] -= row[i] * shares[k][i];
                    }
                }
                for (int i = start; i < last; i++) {
                    panel[i - start][j] = row[i];
                }
            });
            IntStream.range(0, start).parallel().forEach(j -> {
                for (int i = start; i < last; i++) {
                    subtract(shares[j], shares[j][i], panel[i - start], j, start);
                }
            });
        }
    }

    private static void subtract(double[] from, double factor, double[] what, int start, int end) {
        for (int k = start; k < end; k++) {
            from[k] -= factor * what[k];
        }
    }

    /**
     * Rounds a matrix whose rows are multiplied with such inputs.
     *
     * @param name of the constant, for messages
     */
    RoundedMatrix round(String name, Matrix matrix, int blockSize) {
        RoundedMatrix rounded = new RoundedMatrix(matrix.rows(), Math.ceilDiv(columns, blockSize), blockSize);
        IntStream.range(0, Math.ceilDiv(matrix.rows(), BAND)).parallel().forEach(band -> {
            int first = band * BAND;
            int rows = Math.min(BAND, matrix.rows() - first);
            Row[] working = new Row[rows];
            float[] weights = new float[columns];
            for (int r = 0; r < rows; r++) {
                matrix.row(first + r, weights);
                working[r] = new Row(name, weights, blockSize);
            }
            for (int start = 0; start < columns; start += blockSize) {
                int end = Math.min(columns, start + blockSize);
                for (Row row : working) {
                    row.round(start, end);
                }
                for (int j = start; j < end; j++) {
                    for (Row row : working) {
                        subtract(row.wanted, -row.errors[j], shares[j], end, columns);
                    }
                }
            }
            for (int r = 0; r < rows; r++) {
                rounded.put(first + r, working[r].numbers, working[r].scales);
            }
        });
        return rounded;
    }

    /** A row while it is rounded. */
    private final class Row {

        private final String name;
        private final int blockSize;
        private final float[] weights;

        /** The weights, and what the errors before them add to them. */
        private final double[] wanted;

        private final double[] errors = new double[columns];
        private final byte[] numbers;
        private final short[] scales;

        Row(String name, float[] weights, int blockSize) {
            this.name = name;
            this.blockSize = blockSize;
            this.weights = weights.clone();
            this.wanted = IntStream.range(0, columns)
                    .mapToDouble(column -> weights[column])
                    .toArray();
            int blocks = Math.ceilDiv(columns, blockSize);
            this.numbers = new byte[blocks * blockSize];
            this.scales = new short[blocks];
        }

        /** Rounds a block, and adds its errors to its own later columns. */
        void round(int start, int end) {
            short half = Halves.of((float) (farthest(start, end) / LOWEST), name);
            double scale = Float.float16ToFloat(half);
            scales[start / blockSize] = half;
            for (int i = start; i < end; i++) {
                int number = scale == 0 ? 0 : (int) Math.clamp(Math.rint(wanted[i] / scale), LOWEST, HIGHEST);
                numbers[i] = (byte) number;
                errors[i] = weights[i] - number * scale;
                subtract(wanted, -errors[i], shares[i], i + 1, end);
            }
        }

        private double farthest(int start, int end) {
            double farthest = 0;
            for (int i = start; i < end && !Double.isNaN(farthest); i++) {
                if (!(Math.abs(wanted[i]) <= Math.abs(farthest))) {
                    farthest = wanted[i];
                }
            }
            return farthest;
        }
    }
}
