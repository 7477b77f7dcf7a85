package dev.corral.gateway.bench;

import java.util.Arrays;

/** How long the same thing took, each time. */
final class Times {

    private final double[] millis;
    private int count;

    /** Room for so many of them. */
    Times(int expected) {
        millis = new double[expected];
    }

    /** What was measured from {@code System.nanoTime()} at the start until now. */
    void addSince(long startNanos) {
        add((System.nanoTime() - startNanos) / 1e6);
    }

    void add(double milliseconds) {
        millis[count++] = milliseconds;
    }

    double medianMillis() {
        return quantile(0.5);
    }

    double p90Millis() {
        return quantile(0.9);
    }

    /** The smallest time that this share of all times does not exceed. */
    private double quantile(double share) {
        double[] sorted = Arrays.copyOf(millis, count);
        Arrays.sort(sorted);
        return sorted[Math.max(0, (int) Math.ceil(share * count) - 1)];
    }
}
