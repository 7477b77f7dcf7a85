package dev.corral.quantization.recipe;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** How a guard's weights are stored. */
public enum Precision {
    /** 32-bit floats: exact, large and slow; for tests and comparisons. */
    FP32,
    /** 8-bit weights with a scale an output channel, 8-bit activations with a scale a token. */
    INT8,
    /** 4-bit weights with a scale a block, 8-bit activations. */
    INT4;

    /** The name in commands and files. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The precision of that name, or empty. */
    public static Optional<Precision> byLabel(String label) {
        return Arrays.stream(values())
                .filter(precision -> precision.label().equals(label))
                .findFirst();
    }

    /** All names, for messages. */
    public static String labels() {
        return Arrays.stream(values()).map(Precision::label).collect(Collectors.joining(", "));
    }
}
