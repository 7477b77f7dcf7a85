package dev.corral.quantization.graph;

import java.util.function.DoubleUnaryOperator;

/**
 * Cosines and sines of the rotary embedding, one row a position, one column a pair of dimensions, as
 * {@code GroupQueryAttention} takes them.
 */
record RotaryTable(LlamaConfig config, int positions) {

    Initializer cosines() {
        return table("rotary.cos", Math::cos);
    }

    Initializer sines() {
        return table("rotary.sin", Math::sin);
    }

    private Initializer table(String name, DoubleUnaryOperator function) {
        float[] frequencies = frequencies();
        float[] values = new float[positions * frequencies.length];
        for (int position = 0; position < positions; position++) {
            for (int i = 0; i < frequencies.length; i++) {
                // the reference multiplies in float32: the angle must be rounded as there
                float angle = position * frequencies[i];
                values[position * frequencies.length + i] = (float) function.applyAsDouble(angle);
            }
        }
        return Initializer.floats(name, values, positions, frequencies.length);
    }

    private float[] frequencies() {
        float[] frequencies = new float[config.headSize() / 2];
        for (int i = 0; i < frequencies.length; i++) {
            double frequency = 1 / Math.pow(config.ropeTheta(), 2.0 * i / config.headSize());
            frequencies[i] = (float) stretched(i, frequency);
        }
        return frequencies;
    }

    private double stretched(int i, double frequency) {
        return switch (config.ropeScaling().orElse(null)) {
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
