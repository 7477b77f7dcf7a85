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
     * @param hazards for each hazard that the guard looked for, that the content is unsafe by it: the probabilities
     *     exclude each other, and their sum is {@code unsafe} up to rounding
     * @param coverage how much of the content was scanned
     */
    record Scored(Probability unsafe, Map<Hazard, Probability> hazards, Coverage coverage) implements Assessment {

        public Scored {
            hazards = Collections.unmodifiableMap(new LinkedHashMap<>(hazards));
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
