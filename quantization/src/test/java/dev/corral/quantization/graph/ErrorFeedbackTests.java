package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.RecipeException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rounding by inputs, against rounding each weight by itself. */
class ErrorFeedbackTests {

    private static final int ROWS = 35;
    private static final int INPUTS = 400;

    @ParameterizedTest
    @CsvSource({"96, 32", "200, 16", "150, 64", "300, 128"})
    void roundWhenInputsAreCorrelatedMakesProductsMuchBetter(int columns, int blockSize) throws IOException {
        Matrix matrix = random(columns, 1);
        double[][] inputs = correlated(columns);

        double fed = productError(matrix, inputs, fed(matrix, products(inputs), blockSize));
        double plain = productError(matrix, inputs, plain(matrix, blockSize));

        assertThat(fed).isLessThan(0.5 * plain);
    }

    @Test
    void roundWhenInputsAreIndependentRoundsEachWeightByItself() throws IOException {
        Matrix matrix = random(150, 2);
        double[][] diagonal = new double[150][150];
        for (int i = 0; i < 150; i++) {
            diagonal[i][i] = 1 + i;
        }

        assertThat(fed(matrix, diagonal, 32)).isEqualTo(plain(matrix, 32));
    }

    @Test
    void roundWhenRepeatedGivesTheSameBytes() throws IOException {
        Matrix matrix = random(300, 3);
        double[][] inputs = correlated(300);
        Initializer[] pair = new Initializer[2];
        for (int i = 0; i < 2; i++) {
            pair[i] = new ErrorFeedback(products(inputs)).round("w", matrix, 32).weights("w", ROWS, 10, 16);
        }

        assertThat(bytes(pair[0])).isEqualTo(bytes(pair[1]));
    }

    @Test
    void roundWhenAnInputWasNeverSeenStillRoundsItsWeights() throws IOException {
        Matrix matrix = random(64, 4);
        double[][] products = products(correlated(64));
        for (int i = 0; i < 64; i++) {
            products[7][i] = 0;
            products[i][7] = 0;
        }

        double[][] read = fed(matrix, products, 32);

        float[] row = new float[64];
        for (int r = 0; r < ROWS; r++) {
            matrix.row(r, row);
            assertThat(Math.abs(read[r][7] - row[7])).isLessThan(1);
        }
    }

    @Test
    void newWhenInputsAreZeroOrNoNumbersSaysSo() {
        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> new ErrorFeedback(new double[8][8]))
                .withMessage("the model's activations on the calibration data are not finite, or all zero");
        double[][] broken = new double[8][8];
        broken[3][3] = Double.NaN;
        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> new ErrorFeedback(broken))
                .withMessageContaining("not finite");
    }

    private static double[][] fed(Matrix matrix, double[][] products, int blockSize) throws IOException {
        int blocks = Math.ceilDiv(matrix.columns(), blockSize);
        RoundedMatrix rounded = new ErrorFeedback(products).round("w", matrix, blockSize);
        return read(
                rounded.weights("w", ROWS, blocks, blockSize / 2),
                rounded.halfScales("s", (long) ROWS * blocks),
                matrix.columns(),
                blockSize);
    }

    private static double[][] plain(Matrix matrix, int blockSize) throws IOException {
        Blocks blocks = new Blocks(matrix, 4, blockSize, Format.Scales.RANGE);
        return read(
                blocks.weights("w", ROWS, blocks.perRow(), blockSize / 2),
                blocks.halfScales("s", (long) ROWS * blocks.perRow()),
                matrix.columns(),
                blockSize);
    }

    /** The weights as a multiplication sees them. */
    private static double[][] read(Initializer weights, Initializer scales, int columns, int blockSize)
            throws IOException {
        byte[] numbers = bytes(weights);
        ByteBuffer halves = ByteBuffer.wrap(bytes(scales)).order(ByteOrder.LITTLE_ENDIAN);
        int stride = numbers.length * 2 / ROWS;
        double[][] read = new double[ROWS][columns];
        for (int row = 0; row < ROWS; row++) {
            for (int column = 0; column < columns; column++) {
                int i = row * stride + column;
                int number = (numbers[i / 2] >> (i % 2 * 4)) & 0xF;
                read[row][column] = (number - 8) * Float.float16ToFloat(halves.getShort(i / blockSize * Short.BYTES));
            }
        }
        return read;
    }

    private static byte[] bytes(Initializer initializer) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        initializer.source().writeTo(out);
        assertThat(out.size()).isEqualTo((int) initializer.byteLength());
        return out.toByteArray();
    }

    /** Inputs that are mixtures of a few: many columns rise and fall together. */
    private static double[][] correlated(int columns) {
        Random random = new Random(columns);
        double[][] sources = new double[columns / 8][columns];
        for (double[] source : sources) {
            Arrays.setAll(source, _ -> random.nextGaussian());
        }
        double[][] inputs = new double[INPUTS][columns];
        for (double[] input : inputs) {
            Arrays.setAll(input, _ -> 0.1 * random.nextGaussian());
            for (double[] source : sources) {
                double share = random.nextGaussian();
                for (int i = 0; i < columns; i++) {
                    input[i] += share * source[i];
                }
            }
        }
        return inputs;
    }

    private static double[][] products(double[][] inputs) {
        int columns = inputs[0].length;
        double[][] products = new double[columns][columns];
        for (double[] input : inputs) {
            for (int i = 0; i < columns; i++) {
                for (int j = 0; j < columns; j++) {
                    products[i][j] += input[i] * input[j];
                }
            }
        }
        return products;
    }

    private static double productError(Matrix matrix, double[][] inputs, double[][] read) {
        float[] row = new float[matrix.columns()];
        double error = 0;
        for (int r = 0; r < ROWS; r++) {
            matrix.row(r, row);
            for (double[] input : inputs) {
                double off = 0;
                for (int i = 0; i < row.length; i++) {
                    off += (row[i] - read[r][i]) * input[i];
                }
                error += off * off;
            }
        }
        return error;
    }

    private static Matrix random(int columns, int seed) {
        Random random = new Random(seed);
        float[][] values = new float[ROWS][columns];
        for (float[] row : values) {
            for (int i = 0; i < columns; i++) {
                row[i] = (float) random.nextGaussian();
            }
        }
        return new Matrix() {
            @Override
            public int rows() {
                return ROWS;
            }

            @Override
            public int columns() {
                return columns;
            }

            @Override
            public void row(int row, float[] target) {
                System.arraycopy(values[row], 0, target, 0, columns);
            }
        };
    }
}
