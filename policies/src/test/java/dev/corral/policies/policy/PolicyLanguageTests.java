package dev.corral.policies.policy;

import static dev.corral.policies.taxonomy.StandardHazard.S1;
import static dev.corral.policies.taxonomy.StandardHazard.S10;
import static dev.corral.policies.taxonomy.StandardHazard.S13;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Decision.Block;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Decision.Redact;
import dev.corral.policies.taxonomy.CustomHazard;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What rules can name beside a hazard, and what redaction and inheritance make of it. */
class PolicyLanguageTests {

    private static final Facts PROMPT = new Facts(Direction.PROMPT);
    private static final Facts COMPLETION = new Facts(Direction.COMPLETION);

    @ParameterizedTest
    @CsvSource({
        "route: desk-1,            desk-1,  '',     '',        '', FLAG",
        "route: desk-1,            desk-12, '',     '',        '', BLOCK",
        "route: \"desk-*\",        desk-12, '',     '',        '', FLAG",
        "route: \"*1*\",           desk-12, '',     '',        '', FLAG",
        "'route: [a, b]',          b,       '',     '',        '', FLAG",
        "route: \"a.c\",           abc,     '',     '',        '', BLOCK",
        "tenant: acme,             '',      acme,   '',        '', FLAG",
        "tenant: acme,             '',      '',     '',        '', BLOCK",
        "tenant-in: partners,      '',      globex, '',        '', FLAG",
        "tenant-in: partners,      '',      other,  '',        '', BLOCK",
        "model: \"llama-*\",       '',      '',     llama-3,   '', FLAG",
        "model: \"llama-*\",       '',      '',     gpt,       '', BLOCK",
        "language: de,             '',      '',     '',     de-CH, FLAG",
        "language: de-AT,          '',      '',     '',     de-CH, FLAG",
        "language: de,             '',      '',     '',        en, BLOCK",
        "language: de,             '',      '',     '',        '', BLOCK",
        "condition: \"tenant in lists.partners && route != 'x'\", y, acme, '', '', FLAG",
        "condition: \"tenant in lists.partners && route != 'x'\", x, acme, '', '', BLOCK",
        "condition: \"model.startsWith('ll') || model.matches('^m[0-9]$')\", '', '', m7, '', FLAG",
        "condition: \"size(model) > 3\", '', '', m7, '', BLOCK",
        "condition: \"hazard == 'S1' && direction == 'prompt' && source == 'user'\", '', '', '', '', FLAG",
        "'condition: \"language in [''de'', ''fr'']\"', '', '', '', fr-CA, FLAG"
    })
    void decideWhenRuleNamesFactsHoldsForThese(
            String key, String route, String tenant, String model, String language, Outcome outcome) {
        CompiledPolicy policy = compile("""
                policy: p
                version: 1
                lists: { partners: [acme, globex] }
                rules:
                  - { id: a, when: { hazard: S1, %s }, then: flag }
                """.formatted(key));
        Facts facts =
                new Facts(Direction.PROMPT, route, tenant, model, language.isEmpty() ? List.of() : List.of(language));

        assertThat(policy.decide(List.of(scored(S1, 0.9)), facts).outcome()).isEqualTo(outcome);
    }

    @Test
    void weighWhenSourcesAreMixedTheStrictestRuleCounts() {
        CompiledPolicy policy = compile("""
                policy: p
                version: 1
                rules:
                  - { id: thoughts, when: { hazard: S1, source: reasoning }, then: allow }
                  - { id: tools, when: { hazard: S1, source: [tool-call, tool-result] }, then: flag }
                """);
        Assessment found = scored(S1, 0.9);

        assertThat(outcome(policy, found, Set.of(ContentSource.REASONING))).isEqualTo(Outcome.ALLOW);
        assertThat(outcome(policy, found, Set.of(ContentSource.REASONING, ContentSource.TOOL_CALL)))
                .isEqualTo(Outcome.FLAG);
        assertThat(outcome(policy, found, Set.of(ContentSource.REASONING, ContentSource.ASSISTANT)))
                .isEqualTo(Outcome.BLOCK);
    }

    @Test
    void weighWhenContentIsListedByItsHashTakesTheRule() {
        CompiledPolicy policy = compile("""
                policy: p
                version: 1
                lists: { known: [abc123] }
                rules:
                  - { id: known, when: { hazard: any, content-in: known }, then: allow }
                """);

        assertThat(policy.weigh(
                                List.of(new Evidence(
                                        scored(S1, 0.9), Set.of(ContentSource.USER), ContentHash.known("abc123"))),
                                PROMPT)
                        .outcome())
                .isEqualTo(Outcome.ALLOW);
        assertThat(policy.weigh(
                                List.of(new Evidence(
                                        scored(S1, 0.9), Set.of(ContentSource.USER), ContentHash.known("abc124"))),
                                PROMPT)
                        .outcome())
                .isEqualTo(Outcome.BLOCK);
    }

    @ParameterizedTest
    @CsvSource({"0.45,ALLOW,ALLOW", "0.55,FLAG,BLOCK", "0.65,BLOCK,BLOCK", "0.75,BLOCK,BLOCK", "0.95,BLOCK,BLOCK"})
    void decideWhenAStrongerFindingWouldBeTreatedMoreKindlyTheStricterRuleActs(
            double probability, Outcome byRanges, Outcome byCondition) {
        CompiledPolicy ranges = compile("""
                policy: p
                version: 1
                rules:
                  - { id: middle, when: { hazard: S10, probability: { at-least: 0.6, below: 0.7 } }, then: block }
                  - { id: rest, when: { hazard: S10 }, then: flag }
                """);
        CompiledPolicy condition = compile("""
                policy: p
                version: 1
                rules:
                  - { id: kind, when: "hazard == 'S10' && unsafe >= 0.8", then: allow }
                """);

        assertThat(ranges.decide(List.of(scored(S10, probability)), PROMPT).outcome())
                .isEqualTo(byRanges);
        assertThat(condition.decide(List.of(scored(S10, probability)), PROMPT).outcome())
                .isEqualTo(byCondition);
    }

    @Test
    void decideWhenHazardIsExcludedCountsItAsAbsent() {
        CompiledPolicy policy = compile("policy: p\nversion: 1\nexclude: [S13]\n");

        assertThat(policy.decide(List.of(scored(S13, 0.99)), PROMPT).outcome()).isEqualTo(Outcome.ALLOW);
        assertThat(policy.asked()).hasSize(12).doesNotContain(S13);
    }

    @Test
    void askedWhenPolicyHasHazardsForTheGuardNamesThemWithTheirDescription() {
        CompiledPolicy policy = Policies.compile(
                """
                policy: p
                version: 1
                hazards:
                  secrets: { name: Trade secrets, description: What is not announced. }
                  cards: { name: Cards, numbers: card }
                """, "p.yaml", Beside.NOTHING, new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 30));

        assertThat(policy.asked())
                .hasSize(14)
                .last()
                .isEqualTo(new CustomHazard("secrets", "Trade secrets", Optional.of("What is not announced.")));
        assertThat(policy.patternHazards()).extracting(Hazard::code).containsExactly("cards");
    }

    @Test
    void redactionWhenRulesDifferBySourceRedactsOnlyWhereTheySay() {
        CompiledPolicy policy = compile("""
                policy: p
                version: 1
                hazards:
                  cards: { name: Card, numbers: card }
                  staff: { name: Staff, patterns: ['\\bE[0-9]{6}\\b'], replacement: "[staff]" }
                rules:
                  - { id: own, when: { hazard: cards, source: user }, then: allow }
                  - { id: cards, when: { hazard: [cards, staff] }, then: redact }
                """);
        String text = "E123456 pays with 4111 1111 1111 1111";

        assertThat(policy.redaction(text, ContentSource.USER, PROMPT).apply(text))
                .isEqualTo("[staff] pays with 4111 1111 1111 1111");
        assertThat(policy.redaction(text, ContentSource.TOOL_RESULT, PROMPT).apply(text))
                .isEqualTo("[staff] pays with [Card]");
        assertThat(decided(policy, text, COMPLETION)).isInstanceOfSatisfying(Redact.class, redact -> {
            assertThat(redact.ruleIds()).containsExactly("cards");
            assertThat(redact.explanation())
                    .contains("Rule 'cards' redacts cards (Card): its patterns match.")
                    .doesNotContain("4111");
        });
        assertThat(policy.redacts(Direction.COMPLETION)).isTrue();
        assertThat(policy.holdBack(Direction.COMPLETION)).isEqualTo(38);
        assertThat(compile("policy: p\nversion: 1\n").holdBack(Direction.COMPLETION))
                .isZero();
    }

    @Test
    void decideWhenOneHazardIsRedactedAndOneBlockedBlocks() {
        CompiledPolicy policy = compile("""
                policy: p
                version: 1
                hazards:
                  cards: { name: Card, numbers: card }
                  words: { name: Words, keywords: [falcon] }
                rules:
                  - { id: cards, when: { hazard: cards }, then: redact }
                  - { id: words, when: { hazard: words }, then: block, message: { en: "No.", de: "Nein." } }
                """);
        Facts german = new Facts(Direction.PROMPT, "", "", "", List.of("fr", "de-AT"));

        assertThat(decided(policy, "falcon 4111111111111111", german))
                .isInstanceOfSatisfying(
                        Block.class, block -> assertThat(block.message()).isEqualTo("Nein."));
        assertThat(decided(policy, "falcon", PROMPT))
                .isInstanceOfSatisfying(
                        Block.class, block -> assertThat(block.message()).isEqualTo("No."));
    }

    @Test
    void compileWhenPolicyExtendsAnotherTakesWhatItLeavesOut() {
        Map<String, String> files = Map.of("base.yaml", """
                policy: base
                version: 9
                owner: legal@example.com
                thresholds: { default: 0.4, S1: 0.2 }
                rules:
                  - { id: one, when: { hazard: S1 }, then: flag }
                  - { id: rest, when: { hazard: any }, then: block }
                unscanned: flag
                """, "measured.yaml", "thresholds: { S1: 0.3, S2: 0.6 }\n");
        CompiledPolicy policy = Policies.compile(
                """
                policy: own
                version: 1
                extends: base
                thresholds-from: measured.yaml
                thresholds: { S2: 0.7 }
                rules:
                  - { id: first, when: { hazard: S10 }, then: allow }
                  - { id: rest, when: { hazard: any }, then: flag, override: true }
                """,
                "own.yaml",
                name -> Optional.ofNullable(files.get(name)),
                new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 0));

        assertThat(policy.policy().owner()).contains("legal@example.com");
        assertThat(policy.version()).isEqualTo(1);
        assertThat(policy.defaultThreshold()).isEqualTo(new Probability(0.4));
        assertThat(policy.threshold(S1)).isEqualTo(new Probability(0.3));
        assertThat(policy.threshold(policy.hazard("S2").orElseThrow())).isEqualTo(new Probability(0.7));
        assertThat(policy.policy().rules()).extracting(Policy.Rule::id).containsExactly("first", "one", "rest");
        assertThat(policy.decide(List.of(scored(S13, 0.9)), PROMPT).outcome()).isEqualTo(Outcome.FLAG);
        assertThat(policy.policy().unscanned()).isEqualTo(Action.FLAG);
        assertThat(policy.policy().sources())
                .extracting(Policy.Source::origin)
                .containsExactly("own.yaml", "measured.yaml", "base.yaml");
    }

    @Test
    void revisionWhenANamedFileChangesChanges() {
        String text = "policy: p\nversion: 1\nthresholds-from: t.yaml\n";
        GuardSight sight = new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 0);

        assertThat(Policies.compile(text, "p.yaml", _ -> Optional.of("thresholds: { S1: 0.3 }\n"), sight)
                        .revision())
                .isNotEqualTo(Policies.compile(text, "p.yaml", _ -> Optional.of("thresholds: { S1: 0.4 }\n"), sight)
                        .revision());
    }

    @ParameterizedTest
    @CsvSource({
        "tool: delete_file,                delete_file, FLAG",
        "tool: delete_file,                delete_all,  BLOCK",
        "tool: \"delete_*\",               delete_all,  FLAG",
        "'tool: [search, delete_file]',    delete_file, FLAG",
        "tool: \"*\",                      any,         FLAG",
        "tool: \"*\",                      '',          BLOCK",
        "condition: \"tool == 'search'\",  search,      FLAG",
        "condition: \"tool == 'search'\",  delete_file, BLOCK"
    })
    void weighWhenRuleNamesAToolHoldsForItsCalls(String key, String tool, Outcome outcome) {
        CompiledPolicy policy = compile("""
                policy: p
                version: 1
                rules:
                  - { id: a, when: { hazard: S1, %s }, then: flag }
                  - { id: b, when: { hazard: any }, then: block }
                """.formatted(key));
        Evidence evidence = new Evidence(
                scored(S1, 0.9),
                Set.of(ContentSource.TOOL_CALL),
                tool.isEmpty() ? Set.of() : Set.of(tool),
                ContentHash.NONE);

        assertThat(policy.weigh(List.of(evidence), COMPLETION).outcome()).isEqualTo(outcome);
    }

    @Test
    void weighWhenSeveralToolsAreCalledTakesTheStrictestRule() {
        CompiledPolicy policy = compile("""
                policy: p
                version: 1
                rules:
                  - { id: a, when: { hazard: S1, tool: search }, then: flag }
                  - { id: b, when: { hazard: any }, then: block }
                """);
        Evidence evidence = new Evidence(
                scored(S1, 0.9), Set.of(ContentSource.TOOL_CALL), Set.of("search", "shell"), ContentHash.NONE);

        assertThat(policy.weigh(List.of(evidence), COMPLETION).outcome()).isEqualTo(Outcome.BLOCK);
    }

    private static Decision decided(CompiledPolicy policy, String text, Facts facts) {
        List<Assessment> found = new ArrayList<>(policy.match(text));
        return policy.decide(found, facts);
    }

    private static Outcome outcome(CompiledPolicy policy, Assessment found, Set<ContentSource> sources) {
        return policy.weigh(List.of(new Evidence(found, sources, ContentHash.NONE)), COMPLETION)
                .outcome();
    }

    private static Scored scored(Hazard hazard, double probability) {
        return new Scored(
                new Probability(probability), Map.of(hazard, new Probability(probability)), Coverage.ofText(10));
    }

    private static CompiledPolicy compile(String text) {
        return Policies.compile(
                text, "policy.yaml", Beside.NOTHING, new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 0));
    }
}
