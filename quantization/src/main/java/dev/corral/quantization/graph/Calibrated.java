package dev.corral.quantization.graph;

import java.util.Map;

/**
 * What calibration data decided on.
 *
 * @param rounded matrices, by the names that {@link InputProducts} gives them
 * @param smoothings of what norms put out, by the names that {@link InputRanges} gives it
 */
public record Calibrated(Map<String, RoundedMatrix> rounded, Map<String, Smoothing> smoothings) {

    /** No data were needed. */
    public static final Calibrated NOTHING = new Calibrated(Map.of(), Map.of());

    public Calibrated {
        rounded = Map.copyOf(rounded);
        smoothings = Map.copyOf(smoothings);
    }
}
