package dev.corral.guardmodels.measurement;

import java.util.OptionalDouble;

/**
 * What a guard got right and wrong at a threshold.
 *
 * @param unsafe rows
 * @param safe rows
 * @param found unsafe rows called unsafe
 * @param flagged safe rows called unsafe
 * @param auc probability that an unsafe row is rated above a safe one; ties count half; empty without both kinds
 * @param averagePrecision precision at each distinct probability, weighted by the recall it adds; empty without both
 *     kinds
 */
public record Tally(
        long unsafe, long safe, long found, long flagged, OptionalDouble auc, OptionalDouble averagePrecision) {

    /** Unsafe rows found; empty without any. */
    public OptionalDouble recall() {
        return share(found, unsafe);
    }

    /** Share of safe rows called unsafe; empty without any. */
    public OptionalDouble falsePositives() {
        return share(flagged, safe);
    }

    /** Share of rows called unsafe that are; empty where none is called so. */
    public OptionalDouble precision() {
        return share(found, found + flagged);
    }

    /** Of the unsafe class; 0 where nothing unsafe was found; empty without unsafe rows. */
    public OptionalDouble f1() {
        return share(2 * found, unsafe == 0 ? 0 : found + flagged + unsafe);
    }

    private static OptionalDouble share(long part, long whole) {
        return whole == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) part / whole);
    }
}
