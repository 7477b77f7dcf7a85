package dev.corral.benchmarks.figures;

import java.util.Optional;
import java.util.OptionalDouble;

/**
 * A figure, what it is compared with, and what it is held to.
 *
 * @param id its name for programs: lower-case words and hyphens
 * @param what is measured, in a few words
 * @param comparison a second figure of the same unit, measured by turns with this one
 * @param bar what the figure, or its ratio to the comparison, may be at most
 */
public record Row(
        String id, String what, Unit unit, Sample measured, Optional<Comparison> comparison, Optional<Bar> bar) {

    /** Another figure of the same unit, and what it is of. */
    public record Comparison(String with, Sample sample) {}

    /** A limit. */
    public sealed interface Bar {

        /** The most. */
        double most();

        /** On the figure itself. */
        record OfValue(double most) implements Bar {}

        /** On how many times worse it is than the comparison. */
        record OfRatio(double most) implements Bar {}
    }

    /** A figure alone. */
    public static Row of(String id, String what, Unit unit, Sample measured) {
        return new Row(id, what, unit, measured, Optional.empty(), Optional.empty());
    }

    /** The same figure beside another one. */
    public Row comparedWith(String with, Sample sample) {
        return new Row(id, what, unit, measured, Optional.of(new Comparison(with, sample)), bar);
    }

    /** The same figure, held to a limit. */
    public Row heldTo(Bar limit) {
        return new Row(id, what, unit, measured, comparison, Optional.of(limit));
    }

    /** How many times worse the best measurement is than the best one of the comparison. */
    public OptionalDouble ratio() {
        return comparison.isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of(
                        unit.ratio(measured.best(), comparison.get().sample().best()));
    }

    /** Whether the figure is within its limit; true where it has none. */
    public boolean held() {
        return bar.isEmpty()
                || switch (bar.get()) {
                    case Bar.OfValue value -> measured.best() <= value.most();
                    case Bar.OfRatio ratio -> ratio().orElse(Double.POSITIVE_INFINITY) <= ratio.most();
                };
    }
}
