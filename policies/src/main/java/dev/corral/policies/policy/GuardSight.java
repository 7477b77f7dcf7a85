package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.Optional;
import java.util.Set;

/**
 * What policies may expect of a guard.
 *
 * @param taxonomy what it tells apart
 * @param recommendedThreshold used where a policy names no default threshold
 * @param places the most hazards that it can be asked for at once, a policy's own among them, which are given as text; 0
 *     where it looks for its own only
 * @param names that policies may use guards by; empty where they are not known, and are not checked
 */
public record GuardSight(Taxonomy taxonomy, Probability recommendedThreshold, int places, Optional<GuardNames> names) {

    /**
     * The guards that there are.
     *
     * @param text those that read texts
     * @param vision those that see images; empty where there is none
     */
    public record GuardNames(Set<String> text, Set<String> vision) {

        public GuardNames {
            text = Set.copyOf(text);
            vision = Set.copyOf(vision);
        }

        Set<String> of(GuardKind kind) {
            return switch (kind) {
                case TEXT -> text;
                case VISION -> vision;
            };
        }
    }

    /** Of a guard whose name does not matter. */
    public GuardSight(Taxonomy taxonomy, Probability recommendedThreshold, int places) {
        this(taxonomy, recommendedThreshold, places, Optional.empty());
    }
}
