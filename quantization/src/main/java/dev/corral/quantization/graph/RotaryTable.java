package dev.corral.quantization.graph;

import dev.corral.quantization.checkpoint.Tensor;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/**
 * Cosines and sines of the rotary embedding, one row a position, one column a pair of dimensions, as
 * {@code GroupQueryAttention} takes them.
 */
public record RotaryTable(LlamaConfig config, int positions) {

    /** The name of the tensor of cosines in a checkpoint that brings its tables along, and in graphs. */
    public static final String COSINES = "rotary.cos";

    /** The name of the tensor of sines in such a checkpoint, and in graphs. */
    public static final String SINES = "rotary.sin";

    /** Tables that were made with floats of other roundings differ by a tenth of it in the first positions. */
    private static final float TOLERANCE = 1e-4f;

    Initializer cosines() {
        return table(COSINES, cosineValues());
    }

    Initializer sines() {
        return table(SINES, sineValues());
    }

    /** The cosines, row by row. */
    public float[] cosineValues() {
        return values(Math::cos);
    }

    /** The sines, row by row. */
    public float[] sineValues() {
        return values(Math::sin);
    }

    /** Whether tables of at least as many positions are these, but for roundings. */
    public boolean agrees(Tensor cosines, Tensor sines) {
        return agrees(cosines, cosineValues()) && agrees(sines, sineValues());
    }

    private boolean agrees(Tensor table, float[] values) {
        float[] row = new float[table.columns()];
        for (int position = 0; position < positions; position++) {
            table.row(position, row);
            for (int i = 0; i < row.length; i++) {
                if (Math.abs(row[i] - values[position * row.length + i]) > TOLERANCE) {
                    return false;
                }
            }
        }
        return true;
    }

    private Initializer table(String name, float[] values) {
        return Initializer.floats(name, values, positions, config.headSize() / 2);
    }

    private float[] values(DoubleUnaryOperator function) {
        float[] frequencies = frequencies(config.headSize(), config.ropeTheta(), config.ropeScaling());
        float[] values = new float[positions * frequencies.length];
        for (int position = 0; position < positions; position++) {
            for (int i = 0; i < frequencies.length; i++) {
                // the reference multiplies in float32: the angle must be rounded as there
                float angle = position * frequencies[i];
                values[position * frequencies.length + i] = (float) function.applyAsDouble(angle);
            }
        }
        return values;
    }

    /** One for each pair of a head's values, the highest first. */
    static float[] frequencies(int headSize, double theta, Optional<LlamaConfig.RopeScaling> scaling) {
        float[] frequencies = new float[headSize / 2];
        for (int i = 0; i < frequencies.length; i++) {
            double frequency = 1 / Math.pow(theta, 2.0 * i / headSize);
            frequencies[i] = (float) stretched(scaling, i, frequency);
        }
        return frequencies;
    }

    private static double stretched(Optional<LlamaConfig.RopeScaling> scaling, int i, double frequency) {
        return switch (scaling.orElse(null)) {
            case LlamaConfig.RopeScaling.Llama3 llama3 -> scaled(llama3, frequency);
            case LlamaConfig.RopeScaling.Divisors divisors ->
                frequency / divisors.divisors().get(i);
            case null -> frequency;
        };
    }

    /** Long waves are stretched by the factor, short ones kept, those between blended. */
    private static double scaled(LlamaConfig.RopeScaling.Llama3 scaling, double frequency) {
        double wavelength = 2 * Math.PI / frequency;
        if (wavelength > scaling.originalPositions() / scaling.lowFrequency()) {
            return frequency / scaling.factor();
        }
        if (wavelength < scaling.originalPositions() / scaling.highFrequency()) {
            return frequency;
        }
        double smooth = (scaling.originalPositions() / wavelength - scaling.lowFrequency())
                / (scaling.highFrequency() - scaling.lowFrequency());
        return (1 - smooth) * frequency / scaling.factor() + smooth * frequency;
    }
}
