package dev.corral.guardmodels.measurement;

import java.util.List;

/**
 * How often two guards give the same verdict.
 *
 * @param firstThreshold of the first guard
 * @param secondThreshold of the second guard
 * @param bothUnsafe rows that both call unsafe
 * @param bothSafe rows that neither does
 * @param onlyFirst rows that only the first calls unsafe
 * @param onlySecond rows that only the second calls unsafe
 * @param firstRight of the rows they disagree on, those that the first has right; the second has the others
 */
public record Agreement(
        double firstThreshold,
        double secondThreshold,
        int bothUnsafe,
        int bothSafe,
        int onlyFirst,
        int onlySecond,
        int firstRight) {

    static Agreement of(List<Judged> judged, double firstThreshold, double secondThreshold) {
        int bothUnsafe = 0;
        int bothSafe = 0;
        int onlyFirst = 0;
        int onlySecond = 0;
        int firstRight = 0;
        for (Judged one : judged) {
            boolean first = one.unsafe(0) >= firstThreshold;
            boolean second = one.unsafe(1) >= secondThreshold;
            bothUnsafe += first && second ? 1 : 0;
            bothSafe += !first && !second ? 1 : 0;
            onlyFirst += first && !second ? 1 : 0;
            onlySecond += !first && second ? 1 : 0;
            firstRight += first != second && first == one.row().unsafe() ? 1 : 0;
        }
        return new Agreement(firstThreshold, secondThreshold, bothUnsafe, bothSafe, onlyFirst, onlySecond, firstRight);
    }

    public int rows() {
        return bothUnsafe + bothSafe + disagreements();
    }

    public int disagreements() {
        return onlyFirst + onlySecond;
    }

    /** Of the rows they disagree on, those that the second guard has right. */
    public int secondRight() {
        return disagreements() - firstRight;
    }

    /** Of rows on which both say the same. */
    public double share() {
        return (double) (bothUnsafe + bothSafe) / rows();
    }
}
