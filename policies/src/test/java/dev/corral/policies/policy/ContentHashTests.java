package dev.corral.policies.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ContentHashTests {

    private static final String ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    private static final GuardSight SIGHT = new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 0);

    private final AtomicInteger asked = new AtomicInteger();
    private final ContentHash hash = ContentHash.of(() -> {
        asked.incrementAndGet();
        return "abc";
    });

    @Test
    void hexWhenAskedTwiceHashesOnce() {
        assertThat(hash.hex()).isEqualTo(ABC).isEqualTo(hash.hex());
        assertThat(asked).hasValue(1);
    }

    @Test
    void hexWhenNoContentIsEmpty() {
        assertThat(ContentHash.NONE.hex()).isEmpty();
        assertThat(ContentHash.known(ABC).hex()).isEqualTo(ABC);
    }

    @Test
    void weighWhenNoRuleNamesContentHashesNothing() {
        Decision decision = weigh("""
                rules:
                  - { id: mild, when: "unsafe < 0.9 && source == 'user'", then: allow }
                  - { id: rest, when: { hazard: any }, then: block }
                """);

        assertThat(decision.outcome()).isEqualTo(Outcome.BLOCK);
        assertThat(asked).hasValue(0);
    }

    @Test
    void weighWhenListNamesContentHashesOnce() {
        Decision decision = weigh("""
                lists: { reviewed: [%s] }
                rules:
                  - { id: reviewed, when: { hazard: any, content-in: reviewed }, then: allow }
                """.formatted(ABC));

        assertThat(decision.outcome()).isEqualTo(Outcome.ALLOW);
        assertThat(asked).hasValue(1);
    }

    @Test
    void weighWhenConditionNamesContentHashesOnce() {
        Decision decision = weigh("""
                rules:
                  - { id: reviewed, when: "content_hash == '%s'", then: flag }
                """.formatted(ABC));

        assertThat(decision.outcome()).isEqualTo(Outcome.FLAG);
        assertThat(asked).hasValue(1);
    }

    @Test
    void runGivenWhenTextIsListedTakesTheRuleOfTheList() {
        CompiledPolicy policy = compile("""
                lists: { reviewed: [%s] }
                rules:
                  - { id: reviewed, when: { hazard: any, content-in: reviewed }, then: allow }
                tests:
                  - { prompt: "abc", given: { S9: 0.9 }, expect: allow, by: reviewed }
                  - { prompt: "abd", given: { S9: 0.9 }, expect: block }
                """.formatted(ABC));

        assertThat(PolicyTester.runGiven(policy)).hasSize(2).allMatch(PolicyTester.Result::passed);
    }

    private Decision weigh(String rules) {
        Scored found =
                new Scored(new Probability(0.95), Map.of(StandardHazard.S9, new Probability(0.95)), Coverage.NOTHING);
        return compile(rules)
                .weigh(List.of(new Evidence(found, Set.of(ContentSource.USER), hash)), new Facts(Direction.PROMPT));
    }

    private static CompiledPolicy compile(String rest) {
        return Policies.compile("policy: test\nversion: 1\n" + rest, "test.yaml", Beside.NOTHING, SIGHT);
    }
}
