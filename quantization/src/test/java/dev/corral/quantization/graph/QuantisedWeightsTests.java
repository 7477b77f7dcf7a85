package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
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
        Blocks blocks = new Blocks(matrix, bits, size);
        byte[] numbers = bytes(blocks.weights("w", ROWS, (long) blocks.perRow() * size * bits / 8));
        ByteBuffer scales = ByteBuffer.wrap(bytes(blocks.scales("s", ROWS, blocks.perRow())))
                .order(ByteOrder.LITTLE_ENDIAN);

        int stride = blocks.perRow() * size;
        for (int row = 0; row < ROWS; row++) {
            for (int column = 0; column < columns; column++) {
                float scale = scales.getFloat((row * blocks.perRow() + column / size) * Float.BYTES);
                int number = number(numbers, row * stride + column, bits) - (1 << (bits - 1));
                // the positive end of the range is one step short
                float halfStep = Math.abs(scale) * (number == (1 << (bits - 1)) - 1 ? 1 : 0.5f);
                assertThat(number * scale)
                        .isCloseTo(matrix.values[row][column], org.assertj.core.data.Offset.offset(halfStep + 1e-6f));
            }
        }
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
                        .isCloseTo(matrix.values[row][column], org.assertj.core.data.Offset.offset(scale / 2 + 1e-6f));
            }
        }
    }

    private static int number(byte[] packed, int index, int bits) {
        if (bits == 8) {
            return packed[index] & 0xFF;
        }
        return (packed[index / 2] >> (index % 2 * 4)) & 0xF;
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
