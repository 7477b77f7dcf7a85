package dev.corral.guardmodels.measurement;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Confidence intervals by drawing the rows again, with replacement: unsafe ones among the unsafe, safe ones among the safe.
 * Two guards see the same draws, so that the interval of their difference is not blurred by which rows were drawn.
 *
 * @param resamples draws; 1000 are enough for two digits
 * @param seed of the draws; the same seed gives the same intervals, whatever the order of the rows
 */
public record Bootstrap(int resamples, long seed) {

    private static final double TAIL = 0.025;

    /**
     * One or two guards' figures of the same rows.
     *
     * @param byGuard what the rows do not define is not there
     * @param difference of the second guard from the first; empty where there is one guard
     */
    public record Estimates(List<Map<Measure, Estimate>> byGuard, Map<Measure, Estimate> difference) {}

    /**
     * Measures.
     *
     * @param unsafe the labels
     * @param probabilities of each guard, in the order of the labels
     * @param thresholds of each guard
     */
    Estimates estimate(boolean[] unsafe, List<double[]> probabilities, List<Double> thresholds) {
        int[] rows = canonicalOrder(unsafe, probabilities);
        List<Ranking> rankings = probabilities.stream()
                .map(of -> Ranking.of(Arrays.stream(rows)
                        .mapToObj(row -> new Rating(of[row], unsafe[row]))
                        .toList()))
                .toList();
        List<Tally> measured = new ArrayList<>();
        for (int guard = 0; guard < rankings.size(); guard++) {
            measured.add(rankings.get(guard).tally(thresholds.get(guard)));
        }
        List<List<Tally>> drawn = draw(rankings, thresholds, measured.getFirst());
        List<Map<Measure, Estimate>> byGuard = new ArrayList<>();
        Map<Measure, Estimate> difference = new EnumMap<>(Measure.class);
        for (int guard = 0; guard < rankings.size(); guard++) {
            byGuard.add(new EnumMap<>(Measure.class));
        }
        for (Measure measure : Measure.values()) {
            if (measure.of(measured.getFirst()).isEmpty()) {
                continue;
            }
            double[][] values = new double[rankings.size()][];
            for (int guard = 0; guard < rankings.size(); guard++) {
                int which = guard;
                values[guard] = drawn.stream()
                        .mapToDouble(draw -> value(measure, draw.get(which)))
                        .toArray();
                byGuard.get(guard).put(measure, interval(value(measure, measured.get(guard)), values[guard]));
            }
            if (rankings.size() == 2) {
                double[] differences = IntStream.range(0, drawn.size())
                        .mapToDouble(i -> values[1][i] - values[0][i])
                        .toArray();
                difference.put(
                        measure,
                        interval(
                                value(measure, measured.getLast()) - value(measure, measured.getFirst()), differences));
            }
        }
        return new Estimates(byGuard, difference);
    }

    /** So that the n-th row drawn is the same one, whatever the order of the file. */
    private static int[] canonicalOrder(boolean[] unsafe, List<double[]> probabilities) {
        Comparator<Integer> order = Comparator.comparing(row -> unsafe[row]);
        for (double[] of : probabilities) {
            order = order.thenComparingDouble(row -> of[row]);
        }
        return IntStream.range(0, unsafe.length)
                .boxed()
                .sorted(order)
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** For each draw, the tally of each guard. The safe rows come before the unsafe ones. */
    private List<List<Tally>> draw(List<Ranking> rankings, List<Double> thresholds, Tally rows) {
        int safe = (int) rows.safe();
        int unsafe = (int) rows.unsafe();
        SplittableRandom random = new SplittableRandom(seed);
        List<List<Tally>> draws = new ArrayList<>();
        for (int draw = 0; draw < resamples; draw++) {
            int[] weights = new int[safe + unsafe];
            for (int i = 0; i < safe; i++) {
                weights[random.nextInt(safe)]++;
            }
            for (int i = 0; i < unsafe; i++) {
                weights[safe + random.nextInt(unsafe)]++;
            }
            List<Tally> tallies = new ArrayList<>();
            for (int guard = 0; guard < rankings.size(); guard++) {
                tallies.add(rankings.get(guard).tally(thresholds.get(guard), weights));
            }
            draws.add(tallies);
        }
        return draws;
    }

    private static double value(Measure measure, Tally tally) {
        OptionalDouble value = measure.of(tally);
        return value.orElseThrow(
                () -> new IllegalStateException("draws keep both kinds, so " + measure + " is defined"));
    }

    private static Estimate interval(double value, double[] drawn) {
        double[] sorted = drawn.clone();
        Arrays.sort(sorted);
        return new Estimate(value, Distribution.quantile(sorted, TAIL), Distribution.quantile(sorted, 1 - TAIL));
    }
}
