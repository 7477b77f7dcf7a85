package dev.corral.guardmodels.store;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How most of a model's weights are kept. */
public enum Precision {
    FP32,
    FP16,
    INT8,
    INT4;

    /** The name in {@code guard.yaml}, such as {@code int8}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The precision with this exact label, or empty. */
    public static Optional<Precision> byLabel(String label) {
        return Arrays.stream(values())
                .filter(precision -> precision.label().equals(label))
                .findFirst();
    }
}
