package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.Set;

/**
 * What policies may expect of a guard.
 *
 * @param taxonomy what it tells apart
 * @param recommendedThreshold used where a policy names no default threshold
 * @param places the most hazards that it can be asked for at once, a policy's own among them, which are given as text; 0
 *     where it looks for its own only
 * @param guards the names that policies may use guards by; empty where that is not known, and is not checked
 */
public record GuardSight(Taxonomy taxonomy, Probability recommendedThreshold, int places, Set<String> guards) {

    public GuardSight {
        guards = Set.copyOf(guards);
    }

    /** Of a guard whose name does not matter. */
    public GuardSight(Taxonomy taxonomy, Probability recommendedThreshold, int places) {
        this(taxonomy, recommendedThreshold, places, Set.of());
    }
}
