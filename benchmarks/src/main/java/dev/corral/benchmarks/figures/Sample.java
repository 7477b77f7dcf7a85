package dev.corral.benchmarks.figures;

import java.util.Comparator;
import java.util.List;

/**
 * What the same thing measured again and again came to.
 *
 * @param best the least disturbed measurement: the shortest time, the highest rate
 * @param median of all
 */
public record Sample(double best, double median) {

    /** Times or sizes, of which less is better. */
    public static Sample of(List<Double> measured) {
        List<Double> sorted = measured.stream().sorted().toList();
        return new Sample(sorted.getFirst(), middle(sorted));
    }

    /** Rates, of which more is better. */
    public static Sample ofRates(List<Double> measured) {
        List<Double> sorted =
                measured.stream().sorted(Comparator.reverseOrder()).toList();
        return new Sample(sorted.getFirst(), middle(sorted));
    }

    /** What was measured once. */
    public static Sample once(double measured) {
        return new Sample(measured, measured);
    }

    private static double middle(List<Double> sorted) {
        return sorted.get(sorted.size() / 2);
    }
}
