package dev.corral.guardmodels.measurement;

import dev.corral.policies.taxonomy.Hazard;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How far two guards are from each other.
 *
 * @param own agreement of verdicts, each guard at its threshold
 * @param common agreement of verdicts at one threshold for both
 * @param mean of the differences of P(unsafe), second less first
 * @param distances of P(unsafe): the differences without their signs
 * @param histogram rows by difference: bins of equal width from -1 to 1, the middle one around 0
 * @param hazards for each hazard that both look for, the distances of its probability
 * @param mostDifferent rows by falling distance of P(unsafe)
 */
public record Comparison(
        Agreement own,
        Agreement common,
        double mean,
        Distribution distances,
        List<Integer> histogram,
        Map<Hazard, Distribution> hazards,
        List<Judged> mostDifferent) {

    private static final int BINS = 41;

    /** Of at least one row. */
    static Comparison of(List<Candidate> candidates, List<Judged> judged, double threshold, int examples) {
        double[] differences =
                judged.stream().mapToDouble(Judged::difference).sorted().toArray();
        Integer[] histogram = new Integer[BINS];
        Arrays.fill(histogram, 0);
        for (double difference : differences) {
            histogram[bin(difference)]++;
        }
        Map<Hazard, Distribution> hazards = new LinkedHashMap<>();
        for (Hazard hazard : candidates.getFirst().profile().taxonomy().hazards()) {
            if (candidates.getLast().profile().taxonomy().hazards().contains(hazard)) {
                hazards.put(
                        hazard,
                        Distribution.of(judged.stream()
                                .mapToDouble(one -> Math.abs(one.hazard(1, hazard) - one.hazard(0, hazard)))
                                .toArray()));
            }
        }
        return new Comparison(
                Agreement.of(
                        judged,
                        candidates.getFirst().threshold().value(),
                        candidates.getLast().threshold().value()),
                Agreement.of(judged, threshold, threshold),
                Arrays.stream(differences).sum() / differences.length,
                Distribution.of(Arrays.stream(differences).map(Math::abs).toArray()),
                List.of(histogram),
                hazards,
                judged.stream()
                        .sorted(Comparator.<Judged>comparingDouble(one -> -Math.abs(one.difference()))
                                .thenComparingInt(one -> one.row().line()))
                        .limit(examples)
                        .toList());
    }

    private static int bin(double difference) {
        return (int) Math.min(Math.floor((difference + 1) / 2 * BINS), BINS - 1);
    }

    /** Where a bin of the histogram begins; the last one ends at 1. */
    public static double binStart(int bin) {
        return -1 + 2.0 * bin / BINS;
    }
}
