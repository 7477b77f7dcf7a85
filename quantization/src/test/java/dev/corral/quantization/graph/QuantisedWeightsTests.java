package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.data.Offset.offset;

import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.recipe.Format;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Stored numbers times their scales give the weights back, to half a step. */
class QuantisedWeightsTests {

    private static final int ROWS = 7;

    @ParameterizedTest
    @CsvSource({"4, 32, 64", "4, 16, 40", "4, 128, 100", "8, 64, 576", "8, 32, 33"})
    void blocksWhenReadBackAreWithinHalfAStep(int bits, int size, int columns) throws IOException {
        RandomMatrix matrix = new RandomMatrix(columns);
        Blocks blocks = new Blocks(matrix, bits, size, Format.Scales.RANGE);
        float[][] read = read(blocks);
        float[] scales = scales(blocks);

        for (int row = 0; row < ROWS; row++) {
            for (int column = 0; column < columns; column++) {
                float scale = scales[row * blocks.perRow() + column / size];
                // the positive end of the range is one step short
                boolean end = read[row][column] / scale > (1 << (bits - 1)) - 1.5f;
                float halfStep = Math.abs(scale) * (end ? 1 : 0.5f);
                // rounding a scale to 16 bits moves the ends by less than a hundredth of a step
                assertThat(read[row][column]).isCloseTo(matrix.values[row][column], offset(1.01f * halfStep + 1e-6f));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 32, 128})
    void blocksWhenScalesAreSearchedHaveLessError(int size) throws IOException {
        RandomMatrix matrix = new RandomMatrix(512);

        double searched = squaredError(matrix, new Blocks(matrix, 4, size, Format.Scales.LEAST_SQUARES));
        double plain = squaredError(matrix, new Blocks(matrix, 4, size, Format.Scales.RANGE));

        assertThat(searched).isLessThan(0.98 * plain);
    }

    @Test
    void blocksWhenAWeightIsNoNumberNameTheConstant() {
        RandomMatrix matrix = new RandomMatrix(64);
        matrix.values[3][5] = Float.NaN;

        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() ->
                        bytes(new Blocks(matrix, 4, 32, Format.Scales.RANGE).halfScales("layer.7.mlp.scale", ROWS, 2)))
                .withMessage("layer.7.mlp.scale holds a weight that 16 bits cannot tell: NaN."
                        + " Take another precision, or download it again.");
    }

    @Test
    void channelsWhenHalvesAreTurnedAndRounded() throws IOException {
        RandomMatrix matrix = new RandomMatrix(70);
        ByteBuffer halves =
                ByteBuffer.wrap(bytes(new Channels(matrix).halves("w"))).order(ByteOrder.LITTLE_ENDIAN);

        for (int row = 0; row < ROWS; row++) {
            for (int column = 0; column < 70; column++) {
                float weight = matrix.values[row][column];
                assertThat(Float.float16ToFloat(halves.getShort((column * ROWS + row) * Short.BYTES)))
                        .isCloseTo(weight, offset(Math.abs(weight) / 2048 + 1e-7f));
            }
        }
    }

    @Test
    void matrixWhenRowsAndColumnsAreSelectedHasThem() {
        Matrix selected = new RandomMatrix(9).select(List.of(2, 5)).selectColumns(List.of(4, 0));
        float[] row = new float[2];

        selected.row(0, row);

        assertThat(selected.rows()).isEqualTo(2);
        assertThat(selected.columns()).isEqualTo(2);
        assertThat(row).containsExactly(-50, new RandomMatrix(9).values[2][0]);
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 33})
    void channelsWhenReadBackAreWithinHalfAStep(int columns) throws IOException {
        RandomMatrix matrix = new RandomMatrix(columns);
        Channels channels = new Channels(matrix);
        byte[] numbers = bytes(channels.int8("w"));
        ByteBuffer scales = ByteBuffer.wrap(bytes(channels.int8Scales("s"))).order(ByteOrder.LITTLE_ENDIAN);

        for (int row = 0; row < ROWS; row++) {
            float scale = scales.getFloat(row * Float.BYTES);
            for (int column = 0; column < columns; column++) {
                assertThat(numbers[column * ROWS + row] * scale)
                        .isCloseTo(matrix.values[row][column], offset(scale / 2 + 1e-6f));
            }
        }
    }

    private static double squaredError(RandomMatrix matrix, Blocks blocks) throws IOException {
        float[][] read = read(blocks);
        double error = 0;
        for (int row = 0; row < ROWS; row++) {
            for (int column = 0; column < matrix.columns(); column++) {
                error += Math.pow(read[row][column] - matrix.values[row][column], 2);
            }
        }
        return error;
    }

    /** The weights as a multiplication sees them. */
    private static float[][] read(Blocks blocks) throws IOException {
        int stride = blocks.perRow() * blocks.size();
        byte[] numbers = bytes(blocks.weights("w", ROWS, (long) stride * blocks.bits() / 8));
        float[] scales = scales(blocks);
        float[][] read = new float[ROWS][stride];
        for (int i = 0; i < ROWS * stride; i++) {
            int number = blocks.bits() == 8 ? numbers[i] & 0xFF : (numbers[i / 2] >> (i % 2 * 4)) & 0xF;
            read[i / stride][i % stride] = (number - (1 << (blocks.bits() - 1))) * scales[i / blocks.size()];
        }
        return read;
    }

    private static float[] scales(Blocks blocks) throws IOException {
        boolean half = blocks.bits() == 4;
        ByteBuffer bytes = ByteBuffer.wrap(bytes(
                        half
                                ? blocks.halfScales("s", ROWS, blocks.perRow())
                                : blocks.scales("s", ROWS, blocks.perRow())))
                .order(ByteOrder.LITTLE_ENDIAN);
        float[] scales = new float[ROWS * blocks.perRow()];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = half ? Float.float16ToFloat(bytes.getShort()) : bytes.getFloat();
        }
        return scales;
    }

    private static byte[] bytes(Initializer initializer) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        initializer.source().writeTo(out);
        assertThat(out.size()).isEqualTo((int) initializer.byteLength());
        return out.toByteArray();
    }

    /** One row is zero, one has a weight far from the rest. */
    private static final class RandomMatrix implements Matrix {

        private final float[][] values;

        RandomMatrix(int columns) {
            Random random = new Random(20260);
            values = new float[ROWS][columns];
            for (int row = 1; row < ROWS; row++) {
                for (int column = 0; column < columns; column++) {
                    values[row][column] = (float) random.nextGaussian();
                }
            }
            values[2][columns / 2] = -50;
        }

        @Override
        public int rows() {
            return ROWS;
        }

        @Override
        public int columns() {
            return values[0].length;
        }

        @Override
        public void row(int row, float[] target) {
            System.arraycopy(values[row], 0, target, 0, columns());
        }
    }
}
