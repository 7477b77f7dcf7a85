package dev.corral.policies.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Laws of comparing and formatting, over random policies. */
class ToolPropertiesTests {

    private static final GuardSight SIGHT = new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 0);

    @Test
    @Tag("slow")
    void betweenWhenPoliciesAreTheSameFindsNothing() {
        for (int seed = 0; seed < 25; seed++) {
            CompiledPolicy policy = new RandomCases(seed).policy();

            assertThat(PolicyDiff.between(policy, policy)).as("seed %s", seed).isEmpty();
        }
    }

    @Test
    void formatWhenPolicyIsRandomChangesNoDecision() {
        for (int seed = 0; seed < 200; seed++) {
            RandomCases cases = new RandomCases(seed);
            String text = "policy: random\nversion: 1\n" + cases.rules();
            CompiledPolicy before = compile(text);
            CompiledPolicy after = compile(PolicyFormatter.format(text));
            Facts facts = cases.facts();
            List<Assessment> assessments = cases.assessments();

            assertThat(after.decide(assessments, facts))
                    .as("seed %s", seed)
                    .isEqualTo(before.decide(assessments, facts));
        }
    }

    private static CompiledPolicy compile(String text) {
        return Policies.compile(text, "p.yaml", Beside.NOTHING, SIGHT);
    }
}
