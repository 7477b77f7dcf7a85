package dev.corral.policies.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.List;
import org.junit.jupiter.api.Test;

class PolicyRegistryTests {

    private final PolicyRegistry registry = new PolicyRegistry(List.of(policy("support", 1), policy("default", 1)));

    @Test
    void getWhenNameIsUnknownNamesTheKnownOnes() {
        assertThatExceptionOfType(NoSuchPolicyException.class)
                .isThrownBy(() -> registry.get("suport"))
                .withMessage("there is no policy 'suport'; the policies in force are default, support;"
                        + " did you mean 'support'?")
                .satisfies(e -> assertThat(e.name()).isEqualTo("suport"));
    }

    @Test
    void replaceWhenPoliciesAreGivenPutsThemInForceTogether() {
        CompiledPolicy held = registry.get("support");

        registry.replace(List.of(policy("support", 2), policy("other", 1)));

        assertThat(registry.names()).containsExactly("other", "support");
        assertThat(registry.get("support").version()).isEqualTo(2);
        assertThat(held.version()).isEqualTo(1);
    }

    @Test
    void reloadWhenOneFileIsBadKeepsAllOldOnes() {
        assertThat(registry.reload(() -> List.of(policy("default", 2), policy("support", 0))))
                .containsInstanceOf(PolicyException.class);

        assertThat(registry.get("default").version()).isEqualTo(1);
        assertThat(registry.get("support").version()).isEqualTo(1);
    }

    @Test
    void reloadWhenFilesAreGoodReplaces() {
        assertThat(registry.reload(() -> List.of(policy("default", 2)))).isEmpty();

        assertThat(registry.names()).containsExactly("default");
        assertThat(registry.get("default").version()).isEqualTo(2);
    }

    @Test
    void reloadWhenTwoShareANameKeepsTheOldOnes() {
        assertThat(registry.reload(() -> List.of(policy("default", 2), policy("default", 3))))
                .hasValueSatisfying(e -> assertThat(e)
                        .hasMessageStartingWith("two policies are called 'default': default@2+")
                        .hasMessageEndingWith("; give each file a name of its own"));

        assertThat(registry.get("default").version()).isEqualTo(1);
    }

    @Test
    void newWhenThereIsNoPolicyThrows() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PolicyRegistry(List.of()))
                .withMessage("there must be at least one policy");
    }

    private static CompiledPolicy policy(String name, int version) {
        return Policies.compile(
                "policy: " + name + "\nversion: " + version + "\n",
                name + ".yaml",
                Beside.NOTHING,
                new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 0));
    }
}
