package dev.corral.gateway.dialect.openai;

import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.taxonomy.Hazard;
import java.util.Set;

/**
 * The judgement of one input.
 *
 * @param assessment the guard's probabilities
 * @param present the hazards that the policy takes to be there
 * @param flagged whether the policy would do anything but allow it
 */
public record ModerationResult(Assessment.Scored assessment, Set<Hazard> present, boolean flagged) {

    public ModerationResult {
        present = Set.copyOf(present);
    }
}
