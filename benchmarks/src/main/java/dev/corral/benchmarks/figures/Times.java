package dev.corral.benchmarks.figures;

import java.util.Arrays;

/** How long the same thing took, each time. */
public final class Times {

    private final double[] millis;
    private int count;

    /** Room for so many of them. */
    public Times(int expected) {
        millis = new double[expected];
    }

    /** What was measured from {@code System.nanoTime()} at the start until now. */
    public void addSince(long startNanos) {
        add((System.nanoTime() - startNanos) / 1e6);
    }

    public void add(double milliseconds) {
        millis[count++] = milliseconds;
    }

    public double medianMillis() {
        return quantile(0.5);
    }

    public double p90Millis() {
        return quantile(0.9);
    }

    /** The smallest time that this share of all times does not exceed. */
    private double quantile(double share) {
        double[] sorted = Arrays.copyOf(millis, count);
        Arrays.sort(sorted);
        return sorted[Math.max(0, (int) Math.ceil(share * count) - 1)];
    }
}
