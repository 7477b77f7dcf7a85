package dev.corral.guardmodels.measurement;

import java.util.Arrays;

/**
 * Where values lie. Quantiles are interpolated linearly between the two nearest values.
 *
 * @param count at least 1
 */
public record Distribution(int count, double mean, double p50, double p90, double p99, double max) {

    /** Of values in any order, at least one. */
    public static Distribution of(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return new Distribution(
                sorted.length,
                Arrays.stream(sorted).sum() / sorted.length,
                quantile(sorted, 0.5),
                quantile(sorted, 0.9),
                quantile(sorted, 0.99),
                sorted[sorted.length - 1]);
    }

    /**
     * A quantile of sorted values.
     *
     * @param share 0 to 1
     */
    static double quantile(double[] sorted, double share) {
        double place = share * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
