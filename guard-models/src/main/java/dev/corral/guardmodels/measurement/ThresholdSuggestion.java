package dev.corral.guardmodels.measurement;

import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.policy.Beside;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.Facts;
import dev.corral.policies.policy.GuardSight;
import dev.corral.policies.policy.Policies;
import dev.corral.policies.taxonomy.Hazard;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * Thresholds for a policy that flags at most a wished share of the safe rows.
 *
 * @param wished share of safe rows, above 0 and below 1
 * @param alone the lowest thresholds that keep to it, each used without the others
 * @param together the lowest thresholds that keep to it when a policy uses all of them: {@code default} first
 * @param flagged safe rows that such a policy does not let pass
 * @param found unsafe rows that it does not let pass
 * @param safe rows
 * @param unsafe rows
 * @param notes why hazards have no threshold
 */
public record ThresholdSuggestion(
        double wished,
        List<Cut> alone,
        List<Cut> together,
        long flagged,
        long found,
        long safe,
        long unsafe,
        List<String> notes) {

    /*
     * A safe row may be flagged by P(unsafe), or by any hazard that has a threshold of its own. Were each of them allowed
     * the wished share, a policy of twelve would flag up to twelve times as much. So all are allowed the same, smaller
     * number of safe rows, the largest for which the whole policy keeps to the wish. More allowed rows mean lower
     * thresholds, and those never flag less, so that number is found by halving.
     *
     * The policy's own engine says what is flagged, its sums of hazards included. It forgives 1e-9 at a threshold, so a
     * threshold keeps twice that distance from the row below that it must not reach.
     */

    /** Unsafe rows that must name a hazard for it to get a threshold. */
    public static final int LEAST_NAMED = 20;

    private static final double APART = 2e-9;

    /**
     * A threshold and what it does by itself.
     *
     * @param key in a policy's thresholds: {@code default} or a hazard's code
     * @param flagged safe rows at or above it
     * @param found unsafe rows at or above it: of all, or of those that name the hazard
     * @param unsafe such rows
     */
    public record Cut(String key, BigDecimal threshold, long flagged, long found, long unsafe) {}

    /** The wish cannot be kept on these rows. */
    public static final class UnreachableException extends Exception {

        UnreachableException(String message) {
            super(message);
        }
    }

    /**
     * Suggests thresholds.
     *
     * @throws UnreachableException if there are too few safe rows, or too many that the guard is sure are unsafe
     */
    public static ThresholdSuggestion of(Candidate candidate, List<Judged> judged, double wished)
            throws UnreachableException {
        return new Search(candidate, judged, wished).suggest();
    }

    /** What a threshold is set for, and the probabilities of the rows that it has to tell apart, rising. */
    private static final class Key {

        private final String name;
        private final double[] safe;
        private final double[] unsafe;

        private Key(String name, double[] safe, double[] unsafe) {
            this.name = name;
            this.safe = safe;
            this.unsafe = unsafe;
        }

        static Key of(String name, List<Judged> safe, List<Judged> unsafe, ToDoubleFunction<Judged> probability) {
            return new Key(
                    name,
                    safe.stream().mapToDouble(probability).sorted().toArray(),
                    unsafe.stream().mapToDouble(probability).sorted().toArray());
        }

        /** The lowest threshold that so many safe rows reach at most, or empty where even 1 is reached by more. */
        Optional<Cut> cut(int allowed) {
            double below = safe[safe.length - 1 - allowed];
            if (below + APART >= 1) {
                return Optional.empty();
            }
            double above = Math.min(next(safe, below), next(unsafe, below));
            BigDecimal threshold = shortestBetween(below + APART, above);
            return Optional.of(new Cut(
                    name,
                    threshold,
                    reaching(safe, threshold.doubleValue()),
                    reaching(unsafe, threshold.doubleValue()),
                    unsafe.length));
        }

        private static double next(double[] rising, double below) {
            return Arrays.stream(rising)
                    .filter(p -> p > below + APART)
                    .findFirst()
                    .orElse(1);
        }

        private static long reaching(double[] probabilities, double threshold) {
            return Arrays.stream(probabilities).filter(p -> p >= threshold).count();
        }
    }

    /** The number with the fewest digits, two or more after the point, above one bound and up to the other. */
    static BigDecimal shortestBetween(double above, double upTo) {
        BigDecimal low = new BigDecimal(above);
        BigDecimal high = new BigDecimal(upTo);
        BigDecimal middle = low.add(high).divide(BigDecimal.TWO);
        int digits = 2;
        while (true) {
            BigDecimal rounded = middle.setScale(digits, RoundingMode.HALF_EVEN);
            if (rounded.compareTo(low) > 0 && rounded.compareTo(high) <= 0) {
                return rounded;
            }
            digits++;
        }
    }

    private static final class Search {

        private final Candidate candidate;
        private final double wished;
        private final List<Judged> safe;
        private final List<Judged> unsafe;
        private final int allowed;
        private final List<Key> keys = new ArrayList<>();
        private final List<String> unnamed = new ArrayList<>();
        private final List<String> notes = new ArrayList<>();

        Search(Candidate candidate, List<Judged> judged, double wished) {
            this.candidate = candidate;
            this.wished = wished;
            this.safe = judged.stream().filter(one -> !one.row().unsafe()).toList();
            this.unsafe = judged.stream().filter(one -> one.row().unsafe()).toList();
            this.allowed = (int) Math.floor(wished * safe.size() + 1e-9);
        }

        ThresholdSuggestion suggest() throws UnreachableException {
            if (allowed < 1) {
                throw new UnreachableException("a false-positive rate of " + wished + " needs at least "
                        + (long) Math.ceil(1 / wished) + " safe rows: there are " + safe.size());
            }
            keys.add(Key.of("default", safe, unsafe, one -> one.unsafe(0)));
            candidate.profile().taxonomy().hazards().forEach(this::add);
            if (!unnamed.isEmpty()) {
                notes.add(String.join(", ", unnamed) + ": no threshold of their own, because no unsafe row names them");
            }
            List<Cut> alone = new ArrayList<>();
            for (Key key : List.copyOf(keys)) {
                Optional<Cut> cut = key.cut(allowed);
                cut.ifPresent(alone::add);
                if (cut.isEmpty()) {
                    dropOrFail(key);
                }
            }
            List<Cut> together = together();
            CompiledPolicy policy = policy(together);
            return new ThresholdSuggestion(
                    wished,
                    List.copyOf(alone),
                    together,
                    stopped(policy, safe),
                    stopped(policy, unsafe),
                    safe.size(),
                    unsafe.size(),
                    List.copyOf(notes));
        }

        private void add(Hazard hazard) {
            List<Judged> named = unsafe.stream()
                    .filter(one -> one.row().categories().contains(hazard.code()))
                    .toList();
            if (named.isEmpty()) {
                unnamed.add(hazard.code());
            } else if (named.size() < LEAST_NAMED) {
                notes.add(hazard.code() + ": no threshold of its own, because only " + named.size()
                        + " unsafe rows name it; " + LEAST_NAMED + " are needed");
            } else {
                keys.add(Key.of(hazard.code(), safe, named, one -> one.hazard(0, hazard)));
            }
        }

        private void dropOrFail(Key key) throws UnreachableException {
            if (key == keys.getFirst()) {
                throw new UnreachableException("no threshold keeps to a false-positive rate of " + wished
                        + ": the guard gives more safe rows than that a probability of 1");
            }
            keys.remove(key);
            notes.add(key.name + ": no threshold of its own, because too many safe rows have a probability of 1");
        }

        private List<Cut> together() throws UnreachableException {
            int low = 0;
            while (cuts(low).size() < keys.size()) {
                low++;
            }
            int high = allowed;
            while (low < high) {
                int middle = (low + high + 1) / 2;
                if (isWithinTheWish(cuts(middle))) {
                    low = middle;
                } else {
                    high = middle - 1;
                }
            }
            List<Cut> best = cuts(low);
            if (!isWithinTheWish(best)) {
                throw new UnreachableException("no thresholds together keep to a false-positive rate of " + wished
                        + ": the guard is too sure that some safe rows are unsafe");
            }
            return best;
        }

        /** A threshold for each key that so many safe rows reach at most. */
        private List<Cut> cuts(int rows) {
            return keys.stream().flatMap(key -> key.cut(rows).stream()).toList();
        }

        private boolean isWithinTheWish(List<Cut> cuts) {
            return stopped(policy(cuts), safe) <= allowed;
        }

        private CompiledPolicy policy(List<Cut> cuts) {
            String thresholds = cuts.stream()
                    .map(cut -> cut.key + ": " + cut.threshold.toPlainString())
                    .collect(Collectors.joining(", ", "{ ", " }"));
            return Policies.compile(
                    "policy: suggestion\nversion: 1\nthresholds: " + thresholds,
                    "suggested thresholds",
                    Beside.NOTHING,
                    new GuardSight(candidate.profile().taxonomy(), candidate.threshold(), 0));
        }

        private static long stopped(CompiledPolicy policy, List<Judged> rows) {
            Facts facts = new Facts(Direction.PROMPT);
            return rows.stream()
                    .filter(one -> {
                        Scored scored = one.answers().getFirst().scored();
                        return !(policy.decide(List.of(scored), facts) instanceof Decision.Allow);
                    })
                    .count();
        }
    }
}
