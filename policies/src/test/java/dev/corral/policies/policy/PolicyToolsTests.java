package dev.corral.policies.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.PolicyTester.Result;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Templates, tests inside policies, explanations, formatting, and which policy is for whom. */
class PolicyToolsTests {

    private static final GuardSight SIGHT = new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 0);
    private static final Path CASES = Path.of("src/test/resources/policies");

    static List<String> templates() {
        return Policies.templates();
    }

    @ParameterizedTest
    @MethodSource("templates")
    void templateWhenCompiledHasNoIssueAndItsTestsPass(String name) {
        CompiledPolicy policy = compile(Policies.template(name));

        assertThat(policy.name()).isEqualTo(name);
        assertThat(policy.warnings()).isEmpty();
        assertThat(PolicyTester.run(policy, _ -> live()))
                .isNotEmpty()
                .allSatisfy(result -> assertThat(result.failures()).isEmpty());
        assertThat(PolicyFormatter.format(Policies.template(name)))
                .contains("#")
                .contains(name);
    }

    @Test
    void runWhenExpectationsAreMissedSaysWhich() {
        CompiledPolicy policy = compile("""
                policy: p
                version: 1
                hazards: { cards: { name: Card, numbers: card } }
                rules:
                  - { id: cards, when: { hazard: cards }, then: redact }
                  - { id: rest, when: { hazard: any }, then: block }
                tests:
                  - { prompt: a, given: { S1: 0.4 }, expect: block }
                  - { prompt: a, given: { S1: 0.9 }, expect: block, by: cards }
                  - { prompt: 4111111111111111, live: true, expect: redact }
                  - { prompt: "x 4111111111111111", expect: redact, redacted: x }
                """.replace("prompt: 4111111111111111", "prompt: \"4111111111111111\""));

        List<Result> results = PolicyTester.run(policy, _ -> live());

        assertThat(results.get(0).failures())
                .containsExactly("expected block, but it is allow. No hazard reaches its threshold; the likeliest is S1"
                        + " (Violent Crimes) with 0.4 of 0.5.");
        assertThat(results.get(1).failures()).containsExactly("expected rule 'cards', but it is 'rest'");
        assertThat(results.get(2).passed()).isTrue();
        assertThat(results.get(3).failures()).containsExactly("expected the text 'x', but it is 'x [Card]'");
    }

    @Test
    void ofWhenDecisionIsExplainedNamesTheNearestChange() {
        CompiledPolicy policy = compile("policy: p\nversion: 1\nthresholds: { default: 0.5, S4: 0.1 }\n");
        Scored scored = new Scored(
                new Probability(0.35),
                Map.of(StandardHazard.S1, new Probability(0.3), StandardHazard.S4, new Probability(0.05)),
                Coverage.NOTHING);

        Explanation explanation = Explanation.of(policy, "x", scored, ContentSource.USER, new Facts(Direction.PROMPT));

        assertThat(explanation.decision().outcome()).isEqualTo(Outcome.ALLOW);
        assertThat(explanation.changes().getFirst().hazard()).isEqualTo(StandardHazard.S4);
        assertThat(explanation.changes().getFirst().to()).isEqualTo(0.1);
        assertThat(explanation.changes().getFirst().outcome()).isEqualTo(Outcome.BLOCK);
    }

    @Test
    void formatWhenFormattedAgainChangesNothing() throws IOException {
        int formatted = 0;
        try (Stream<Path> folders = Files.list(CASES)) {
            for (Path folder : folders.sorted().toList()) {
                String text = Files.readString(folder.resolve("policy.yaml"));
                ParsedPolicy parsed = PolicyParser.parse(text, "policy.yaml");
                if (parsed.policy().isEmpty()) {
                    continue;
                }
                String once = PolicyFormatter.format(text);
                assertThat(PolicyFormatter.format(once)).as(folder.toString()).isEqualTo(once);
                assertThat(meaning(PolicyParser.parse(once, "policy.yaml")))
                        .as(folder.toString())
                        .isEqualTo(meaning(parsed));
                formatted++;
            }
        }
        assertThat(formatted).isGreaterThan(10);
    }

    @Test
    void formatWhenThereAreCommentsKeepsThemAll() {
        String text = "# first\npolicy:   p # name\nversion: 1\n\n# about rules\nrules:\n- {id: a, when: {hazard: S1},"
                + " then: block} # why\n# last\n";

        assertThat(PolicyFormatter.format(text)).contains("# first", "# name", "# about rules", "# why", "# last");
    }

    @Test
    void resolveWhenSeveralPoliciesApplyTakesTheNarrowest() {
        PolicyRegistry registry = new PolicyRegistry(List.of(
                compile("policy: default\nversion: 1\n"),
                compile("policy: named\nversion: 1\n"),
                compile("policy: acme\nversion: 1\napplies-to: { tenant: acme }\n"),
                compile("policy: acme-desk\nversion: 1\napplies-to: { tenant: acme, route: \"desk-*\" }\n"),
                compile("policy: desk\nversion: 1\napplies-to: { route: \"desk-*\" }\n")));

        assertThat(registry.resolve("acme", "desk-1", Optional.of("named"), "default")
                        .name())
                .isEqualTo("acme-desk");
        assertThat(registry.resolve("acme", "lab", Optional.of("named"), "default")
                        .name())
                .isEqualTo("acme");
        assertThat(registry.resolve("other", "desk-1", Optional.of("named"), "default")
                        .name())
                .isEqualTo("named");
        assertThat(registry.resolve("", "desk-1", Optional.empty(), "default").name())
                .isEqualTo("desk");
        assertThat(registry.resolve("", "", Optional.empty(), "default").name()).isEqualTo("default");
    }

    @Test
    void auditWhenRulesDifferAllowsTheLeast() {
        CompiledPolicy policy = compile("""
                policy: p
                version: 1
                audit: redacted
                rules:
                  - { id: a, when: { hazard: S1 }, then: block, audit: text }
                  - { id: b, when: { hazard: S2 }, then: block, audit: hash }
                  - { id: c, when: { hazard: S3 }, then: block }
                """);

        assertThat(policy.audit(decision(policy, StandardHazard.S1))).isEqualTo(AuditDetail.TEXT);
        assertThat(policy.audit(decision(policy, StandardHazard.S2))).isEqualTo(AuditDetail.HASH);
        assertThat(policy.audit(decision(policy, StandardHazard.S3))).isEqualTo(AuditDetail.REDACTED);
        assertThat(policy.audit(decision(policy, StandardHazard.S4))).isEqualTo(AuditDetail.REDACTED);
    }

    private static Decision decision(CompiledPolicy policy, StandardHazard hazard) {
        return policy.decide(
                List.of(new Scored(Probability.ONE, Map.of(hazard, Probability.ONE), Coverage.NOTHING)),
                new Facts(Direction.PROMPT));
    }

    /** What a policy says, without the places where it says it. */
    private static String meaning(ParsedPolicy parsed) {
        return parsed.policy()
                .orElseThrow()
                .toString()
                .replaceAll("policy\\.yaml:\\d+:\\d+", "")
                .replaceAll("(?s)sources=\\[.*", "")
                .replaceAll("Pattern@[0-9a-f]+", "");
    }

    private static Assessment live() {
        return new Scored(Probability.ZERO, Map.of(), Coverage.NOTHING);
    }

    private static CompiledPolicy compile(String text) {
        return Policies.compile(text, "policy.yaml", Beside.NOTHING, SIGHT);
    }
}
