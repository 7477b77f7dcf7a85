package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.quantization.graph.LlamaConfig.RopeScaling;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RotaryBaseTests {

    @ParameterizedTest
    @CsvSource({"64, 500000, 32, 8192", "128, 500000, 8, 8192", "16, 500000, 8, 64"})
    void ofWhenScaledAsLlama3FindsTheFactorAndTheLength(int headSize, double theta, double factor, double original) {
        Optional<RopeScaling> scaling = Optional.of(new RopeScaling.Llama3(factor, 1, 4, original));

        assertThat(RotaryBase.of(asRead(RotaryTable.frequencies(headSize, theta, scaling))))
                .isEqualTo(new RotaryBase(theta, scaling));
    }

    @ParameterizedTest
    @CsvSource({"64, 100000", "64, 10000", "128, 1000000"})
    void ofWhenNotScaledFindsTheBase(int headSize, double theta) {
        assertThat(RotaryBase.of(asRead(RotaryTable.frequencies(headSize, theta, Optional.empty()))))
                .isEqualTo(new RotaryBase(theta, Optional.empty()));
    }

    @Test
    void ofWhenStretchedInAnotherWayGivesDivisors() {
        Optional<RopeScaling> odd = Optional.of(new RopeScaling.Divisors(List.of(1f, 1f, 3f, 3f, 5f, 7f, 7f, 9f)));

        RotaryBase found = RotaryBase.of(asRead(RotaryTable.frequencies(16, 10_000, odd)));

        assertThat(found.theta()).isEqualTo(10_000);
        float[] again = RotaryTable.frequencies(16, found.theta(), found.scaling());
        assertThat(again).usingComparatorWithPrecision(1e-6f).containsExactly(RotaryTable.frequencies(16, 10_000, odd));
    }

    /** Frequencies as they come out of tables of cosines and sines in float32. */
    private static double[] asRead(float[] frequencies) {
        double[] read = new double[frequencies.length];
        for (int i = 0; i < read.length; i++) {
            read[i] = Math.atan2((float) Math.sin(frequencies[i]), (float) Math.cos(frequencies[i]));
        }
        return read;
    }
}
