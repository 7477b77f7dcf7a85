package dev.corral.policies.assessment;

import dev.corral.policies.taxonomy.Hazard;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a guard found in one piece of content: scores, or a stated reason why there are none. */
public sealed interface Assessment {

    /** How much of the content the guard saw. */
    Coverage coverage();

    /**
     * Probabilities.
     *
     * @param unsafe that the content is unsafe at all
     * @param hazards for each hazard that the guard looked for, that the content is unsafe by it, as {@code meaning} says
     * @param unnamed that the content is unsafe, and not by any of {@code hazards}
     * @param meaning what the probabilities of hazards say
     * @param coverage how much of the content was scanned
     */
    record Scored(
            Probability unsafe,
            Map<Hazard, Probability> hazards,
            Probability unnamed,
            Meaning meaning,
            Coverage coverage)
            implements Assessment {

        /** Below this, a difference between P(unsafe) and the hazards' sum is rounding. */
        private static final double ROUNDING = 1e-6;

        public Scored {
            hazards = Collections.unmodifiableMap(new LinkedHashMap<>(hazards));
        }

        /** Of the hazard named first; what is missing to the sum of all is unnamed. */
        public Scored(Probability unsafe, Map<Hazard, Probability> hazards, Coverage coverage) {
            this(unsafe, hazards, rest(unsafe, hazards), Meaning.FIRST_HAZARD, coverage);
        }

        /** The highest that one or the other of two guards found in the same content. */
        public Scored or(Scored other) {
            Map<Hazard, Probability> highest = new LinkedHashMap<>(hazards);
            other.hazards.forEach((hazard, probability) -> highest.merge(hazard, probability, Scored::max));
            return new Scored(
                    max(unsafe, other.unsafe),
                    highest,
                    max(unnamed, other.unnamed),
                    meaning.or(other.meaning),
                    coverage.or(other.coverage));
        }

        private static Probability max(Probability a, Probability b) {
            return a.compareTo(b) >= 0 ? a : b;
        }

        private static Probability rest(Probability unsafe, Map<Hazard, Probability> hazards) {
            double named = 0;
            for (Probability hazard : hazards.values()) {
                named += hazard.value();
            }
            double rest = unsafe.value() - named;
            return rest > ROUNDING ? new Probability(rest) : Probability.ZERO;
        }
    }

    /**
     * No verdict. The policy decides what happens.
     *
     * @param reason why, for rules and metrics
     * @param detail why, for people; never the content itself
     * @param coverage what would have been scanned
     */
    record Inconclusive(Reason reason, String detail, Coverage coverage) implements Assessment {}

    /** Why a guard came to no verdict. */
    enum Reason {
        /** The deadline passed. */
        TIMEOUT,
        /** The queue in front of the guard was full. */
        OVERLOADED,
        /** The guard failed, or its answer made no sense. */
        FAILED
    }
}
