package dev.corral.gateway.dialect;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Finding;
import dev.corral.policies.taxonomy.Hazard;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The judgement of one input.
 *
 * @param input what was judged
 * @param assessment the guard's probabilities
 * @param decision what the policy would do about it
 */
public record Verdict(Conversation input, Assessment.Scored assessment, Decision decision) {

    /** The hazards that the policy takes to be there. */
    public Set<Hazard> present() {
        return decision.findings().stream().map(Finding::hazard).collect(Collectors.toSet());
    }

    /** Whether the policy would do anything but allow it. */
    public boolean flagged() {
        return !(decision instanceof Decision.Allow);
    }
}
