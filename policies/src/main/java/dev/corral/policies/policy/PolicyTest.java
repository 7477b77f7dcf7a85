package dev.corral.policies.policy;

import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Policy.HazardReference;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A test inside a policy.
 *
 * @param text what is said
 * @param facts about the exchange; the direction says whether it is a prompt or a completion
 * @param source who says it
 * @param tool the one that it is of, defined, called or answering; empty where it is of none
 * @param given probabilities that stand for the guard's
 * @param live whether the real guard is asked in place of {@code given}
 * @param expect what must be decided
 * @param by the rule that must have decided; empty where any may
 * @param redacted the text that must come out; empty where that is not tested
 * @param location of the test
 */
public record PolicyTest(
        String text,
        Facts facts,
        ContentSource source,
        String tool,
        Map<HazardReference, Probability> given,
        boolean live,
        Outcome expect,
        Optional<String> by,
        Optional<String> redacted,
        SourceLocation location) {

    /** What was found in its text. */
    Evidence evidence(Assessment assessment) {
        return new Evidence(
                assessment, Set.of(source), tool.isEmpty() ? Set.of() : Set.of(tool), ContentHash.of(this::text));
    }

    public PolicyTest {
        given = Collections.unmodifiableMap(new LinkedHashMap<>(given));
    }
}
