package dev.corral.guardmodels.assess;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;

/**
 * How well probabilities tell unsafe from safe.
 *
 * @param rows judged texts
 * @param unsafe those that are unsafe
 * @param auc probability that an unsafe text is rated above a safe one; ties count half; empty without both kinds
 * @param f1 of the unsafe class at the threshold; 0 where nothing unsafe was found
 * @param recall unsafe texts found; empty without any
 * @param falsePositives share of safe texts called unsafe; empty without any
 */
record Metrics(
        int rows, int unsafe, OptionalDouble auc, double f1, OptionalDouble recall, OptionalDouble falsePositives) {

    /** A judged text: what the guard said and what is true. */
    record Rating(double probability, boolean unsafe) {}

    static Metrics of(List<Rating> ratings, double threshold) {
        int unsafe = (int) ratings.stream().filter(Rating::unsafe).count();
        int safe = ratings.size() - unsafe;
        List<Rating> called =
                ratings.stream().filter(r -> r.probability() >= threshold).toList();
        int right = (int) called.stream().filter(Rating::unsafe).count();
        int wrong = called.size() - right;
        return new Metrics(
                ratings.size(),
                unsafe,
                auc(ratings, unsafe, safe),
                right == 0 ? 0 : 2.0 * right / (right + wrong + unsafe),
                share(right, unsafe),
                share(wrong, safe));
    }

    private static OptionalDouble share(int part, int whole) {
        return whole == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) part / whole);
    }

    /** By the ranks of the unsafe ones (Mann-Whitney); equal probabilities share their mean rank. */
    private static OptionalDouble auc(List<Rating> ratings, int unsafe, int safe) {
        if (unsafe == 0 || safe == 0) {
            return OptionalDouble.empty();
        }
        List<Rating> sorted = new ArrayList<>(ratings);
        sorted.sort(Comparator.comparingDouble(Rating::probability));
        double ranks = 0;
        int start = 0;
        while (start < sorted.size()) {
            int end = start;
            int unsafeHere = 0;
            while (end < sorted.size()
                    && sorted.get(end).probability() == sorted.get(start).probability()) {
                unsafeHere += sorted.get(end).unsafe() ? 1 : 0;
                end++;
            }
            ranks += unsafeHere * (start + 1 + end) / 2.0;
            start = end;
        }
        return OptionalDouble.of((ranks - unsafe * (unsafe + 1.0) / 2) / ((double) unsafe * safe));
    }
}
