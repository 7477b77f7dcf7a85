package dev.corral.guardmodels.measurement;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/** Ratings by falling probability, from which every figure is counted in one pass. Exact: ties are ties. */
public final class Ranking {

    /** Falling; of equal ones, the safe ones come first. */
    private final double[] probabilities;

    private final boolean[] unsafe;
    /** The place of each in the list that was given. */
    private final int[] given;

    private Ranking(List<Rating> ratings) {
        given = IntStream.range(0, ratings.size())
                .boxed()
                .sorted(Comparator.<Integer>comparingDouble(i -> -ratings.get(i).probability())
                        .thenComparing(i -> ratings.get(i).unsafe()))
                .mapToInt(Integer::intValue)
                .toArray();
        probabilities = Arrays.stream(given)
                .mapToDouble(i -> ratings.get(i).probability())
                .toArray();
        unsafe = new boolean[given.length];
        for (int i = 0; i < given.length; i++) {
            unsafe[i] = ratings.get(given[i]).unsafe();
        }
    }

    public static Ranking of(List<Rating> ratings) {
        return new Ranking(ratings);
    }

    /**
     * Everything at or above one of the probabilities that occur.
     *
     * @param threshold the probability
     * @param unsafe rows at or above it
     * @param safe rows at or above it
     */
    public record Step(double threshold, long unsafe, long safe) {}

    /** One step for each distinct probability, falling. */
    public List<Step> steps() {
        List<Step> steps = new ArrayList<>();
        long unsafeAbove = 0;
        for (int i = 0; i < probabilities.length; i++) {
            unsafeAbove += unsafe[i] ? 1 : 0;
            if (endsTie(i)) {
                steps.add(new Step(probabilities[i], unsafeAbove, i + 1 - unsafeAbove));
            }
        }
        return steps;
    }

    /** Right and wrong at a threshold. */
    public Tally tally(double threshold) {
        int[] once = new int[given.length];
        Arrays.fill(once, 1);
        return tally(threshold, once);
    }

    /**
     * Right and wrong at a threshold, where ratings count several times or not at all.
     *
     * @param weights how often each counts, in the order of the list that was given
     */
    Tally tally(double threshold, int[] weights) {
        long allUnsafe = 0;
        long all = 0;
        for (int i = 0; i < given.length; i++) {
            all += weights[given[i]];
            allUnsafe += unsafe[i] ? weights[given[i]] : 0;
        }
        long allSafe = all - allUnsafe;
        long found = 0;
        long flagged = 0;
        long unsafeAbove = 0;
        long safeAbove = 0;
        long unsafeHere = 0;
        long safeHere = 0;
        long twiceWon = 0;
        double precisions = 0;
        for (int i = 0; i < given.length; i++) {
            int weight = weights[given[i]];
            unsafeHere += unsafe[i] ? weight : 0;
            safeHere += unsafe[i] ? 0 : weight;
            if (!endsTie(i)) {
                continue;
            }
            unsafeAbove += unsafeHere;
            safeAbove += safeHere;
            twiceWon += unsafeHere * (2 * (allSafe - safeAbove) + safeHere);
            precisions += unsafeHere == 0 ? 0 : (double) unsafeHere * unsafeAbove / (unsafeAbove + safeAbove);
            if (probabilities[i] >= threshold) {
                found = unsafeAbove;
                flagged = safeAbove;
            }
            unsafeHere = 0;
            safeHere = 0;
        }
        boolean both = allUnsafe > 0 && allSafe > 0;
        return new Tally(
                allUnsafe,
                allSafe,
                found,
                flagged,
                both ? OptionalDouble.of(twiceWon / (2.0 * allUnsafe * allSafe)) : OptionalDouble.empty(),
                both ? OptionalDouble.of(precisions / allUnsafe) : OptionalDouble.empty());
    }

    private boolean endsTie(int i) {
        return i + 1 == probabilities.length || probabilities[i + 1] != probabilities[i];
    }

    /** The ratings by falling probability; of equal ones, the safe ones first. */
    List<Rating> ratings() {
        return IntStream.range(0, given.length)
                .mapToObj(i -> new Rating(probabilities[i], unsafe[i]))
                .toList();
    }
}
