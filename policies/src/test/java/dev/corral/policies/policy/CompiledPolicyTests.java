package dev.corral.policies.policy;

import static dev.corral.policies.taxonomy.StandardHazard.S1;
import static dev.corral.policies.taxonomy.StandardHazard.S10;
import static dev.corral.policies.taxonomy.StandardHazard.S11;
import static dev.corral.policies.taxonomy.StandardHazard.S2;
import static dev.corral.policies.taxonomy.StandardHazard.S4;
import static dev.corral.policies.taxonomy.StandardHazard.S6;
import static dev.corral.policies.taxonomy.StandardHazard.S9;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Reason;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Coverage.Extent;
import dev.corral.policies.assessment.Coverage.Unscanned;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Decision.Allow;
import dev.corral.policies.policy.Decision.Block;
import dev.corral.policies.policy.Decision.Flag;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Decision.Respond;
import dev.corral.policies.policy.Decision.Unavailable;
import dev.corral.policies.taxonomy.CustomHazard;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompiledPolicyTests {

    private static final String PATTERNS = """
            policy: p
            version: 1
            hazards: { cards: { name: Card, numbers: card }, bird: { name: Bird, keywords: falcon } }
            """;
    private static final Facts PROMPT = new Facts(Direction.PROMPT);
    private static final Facts COMPLETION = new Facts(Direction.COMPLETION);
    private static final Coverage WITH_SOUND = new Coverage(
            new Extent(10, 10),
            Extent.NONE,
            List.of(new Unscanned("field 'audio'", "messages[2].content[0]", "the guard reads text only")));

    private final CompiledPolicy support = compile("""
            policy: support
            version: 3
            thresholds: { default: 0.5, S4: 0.1, S9: 0.9 }
            rules:
              - { id: minors, when: { hazard: S4 }, then: block, message: "No." }
              - { id: crisis, when: { hazard: S11, direction: prompt }, then: respond, message: You are not alone. }
              - { id: medical, when: { hazard: S6 }, then: allow }
              - { id: heated, when: { hazard: [S5, S10] }, then: flag }
              - { id: hate-speech, when: { hazard: S1, direction: completion }, then: flag }
            """);

    @Test
    void decideWhenHazardReachesThresholdBlocksByItsRule() {
        Decision decision = support.decide(List.of(scored(Map.of(S4, 0.1))), PROMPT);

        assertThat(decision)
                .isEqualTo(new Block(
                        List.of("minors"),
                        List.of(new Finding(S4, new Probability(0.1), new Probability(0.1))),
                        "Rule 'minors' blocks S4 (Child Exploitation): its probability 0.1 is at or above the threshold"
                                + " 0.1.",
                        "No.",
                        BlockStyle.REFUSAL));
    }

    @Test
    void decideWhenHazardIsBelowThresholdAllowsAndNamesTheLikeliest() {
        Decision decision = support.decide(List.of(scored(Map.of(S4, 0.0999, S2, 0.3))), PROMPT);

        assertThat(decision)
                .isEqualTo(new Allow(
                        List.of(),
                        List.of(),
                        "No hazard reaches its threshold; the likeliest is S2 (Non-Violent Crimes) with 0.3 of 0.5."));
    }

    @Test
    void decideWhenThereIsNothingToJudgeAllows() {
        assertThat(support.decide(List.of(), PROMPT))
                .isEqualTo(new Allow(List.of(), List.of(), "There was nothing to judge."));
    }

    @Test
    void decideWhenNoRuleNamesTheHazardBlocks() {
        Decision decision = support.decide(List.of(scored(Map.of(S2, 0.6))), COMPLETION);

        assertThat(decision).isInstanceOfSatisfying(Block.class, block -> {
            assertThat(block.ruleIds()).isEmpty();
            assertThat(block.explanation()).startsWith("No rule names it, so the policy blocks S2");
            assertThat(block.message())
                    .isEqualTo("This content was blocked by the safety policy.")
                    .doesNotContain("S2", "Crimes");
        });
    }

    @Test
    void decideWhenRuleIsForTheOtherDirectionSkipsIt() {
        List<Assessment> assessments = List.of(scored(Map.of(S11, 0.9)));

        assertThat(support.decide(assessments, PROMPT)).isInstanceOfSatisfying(Respond.class, respond -> {
            assertThat(respond.message()).isEqualTo("You are not alone.");
            assertThat(respond.ruleIds()).containsExactly("crisis");
        });
        assertThat(support.decide(assessments, COMPLETION).outcome()).isEqualTo(Outcome.BLOCK);
    }

    @Test
    void decideWhenSeveralHazardsArePresentStrictestWinsAndAllAreFound() {
        Decision decision = support.decide(
                List.of(scored(Map.of(S10, 0.7)), scored(Map.of(S6, 0.8, S4, 0.15)), scored(Map.of(S10, 0.6))), PROMPT);

        assertThat(decision.outcome()).isEqualTo(Outcome.BLOCK);
        assertThat(decision.ruleIds()).containsExactly("minors");
        assertThat(decision.findings())
                .extracting(Finding::hazard, finding -> finding.probability().value())
                .containsExactly(tuple(S6, 0.8), tuple(S10, 0.7), tuple(S4, 0.15));
    }

    @Test
    void decideWhenHazardIsAllowedNamesTheRule() {
        assertThat(support.decide(List.of(scored(Map.of(S6, 0.95))), PROMPT))
                .isInstanceOfSatisfying(Allow.class, allow -> {
                    assertThat(allow.ruleIds()).containsExactly("medical");
                    assertThat(allow.explanation()).startsWith("Rule 'medical' allows S6 (Specialized Advice)");
                    assertThat(allow.findings()).extracting(Finding::hazard).containsExactly(S6);
                });
    }

    @Test
    void decideWhenHazardsReachThresholdOnlyTogetherBlocksByTheLikeliest() {
        CompiledPolicy policy = compile("""
                policy: strict
                version: 1
                rules:
                  - { id: violence, when: { hazard: S1 }, then: block, message: Not this. }
                  - { id: rest, when: { hazard: any }, then: block }
                """);

        Decision decision = policy.decide(List.of(scored(ordered(S2, 0.2, S1, 0.25, S9, 0.06))), PROMPT);

        assertThat(decision).isInstanceOfSatisfying(Block.class, block -> {
            assertThat(block.ruleIds()).containsExactly("violence");
            assertThat(block.message()).isEqualTo("Not this.");
            assertThat(block.findings()).extracting(Finding::hazard).containsExactly(S1, S2, S9);
            assertThat(block.explanation())
                    .isEqualTo("Rule 'violence' blocks this: S1 (Violent Crimes) 0.25, S2 (Non-Violent Crimes) 0.2,"
                            + " S9 (Indiscriminate Weapons) 0.06 add up to 0.51, at or above the threshold 0.5.");
        });
    }

    @Test
    void decideWhenHazardsAddUpAcrossAssessmentsAllows() {
        Decision decision = support.decide(List.of(scored(Map.of(S2, 0.3)), scored(Map.of(S1, 0.3))), PROMPT);

        assertThat(decision.outcome()).isEqualTo(Outcome.ALLOW);
    }

    @Test
    void decideWhenAllowedHazardWouldCompleteTheSumAllows() {
        assertThat(support.decide(List.of(scored(Map.of(S6, 0.4, S2, 0.4))), PROMPT)
                        .outcome())
                .isEqualTo(Outcome.ALLOW);
    }

    @Test
    void decideWhenHazardWithLenientThresholdWouldCompleteTheSumAllows() {
        assertThat(support.decide(List.of(scored(Map.of(S9, 0.4, S2, 0.4))), PROMPT)
                        .outcome())
                .isEqualTo(Outcome.ALLOW);
        assertThat(support.decide(List.of(scored(Map.of(S9, 0.9))), PROMPT).outcome())
                .isEqualTo(Outcome.BLOCK);
    }

    @Test
    void decideWhenSumNeedsWeakerHazardsTakesTheWeakerAction() {
        Decision respond = support.decide(List.of(scored(Map.of(S2, 0.4, S11, 0.1))), PROMPT);
        Decision flag = support.decide(List.of(scored(Map.of(S2, 0.3, S11, 0.1, S10, 0.1))), PROMPT);

        assertThat(respond).isInstanceOfSatisfying(Respond.class, r -> {
            assertThat(r.message()).isEqualTo("You are not alone.");
            assertThat(r.ruleIds()).containsExactly("crisis");
        });
        assertThat(flag)
                .isInstanceOfSatisfying(Flag.class, f -> assertThat(f.ruleIds()).containsExactly("heated"));
    }

    @Test
    void decideWhenGuardNamesNoHazardForWhatIsUnsafeBlocks() {
        Scored unnamed = new Scored(new Probability(0.9), Map.of(S6, new Probability(0.2)), Coverage.ofText(10));

        assertThat(support.decide(List.of(unnamed), PROMPT)).isInstanceOfSatisfying(Block.class, block -> {
            assertThat(block.ruleIds()).isEmpty();
            assertThat(block.explanation()).contains("hazards without a name 0.7");
        });
    }

    @Test
    void decideWhenHazardsMayCoincideCountsTheirSumOnceOnly() {
        Map<Hazard, Double> both = ordered(S1, 0.4, S2, 0.4);

        assertThat(support.decide(List.of(scored(both)), PROMPT).outcome()).isEqualTo(Outcome.BLOCK);
        assertThat(support.decide(List.of(overlapping(0.45, both)), PROMPT).outcome())
                .isEqualTo(Outcome.ALLOW);
        assertThat(support.decide(List.of(overlapping(0.6, both)), PROMPT))
                .isInstanceOfSatisfying(
                        Block.class,
                        block -> assertThat(block.explanation())
                                .contains(
                                        "S1 (Violent Crimes) 0.4, S2 (Non-Violent Crimes) 0.4 are one or another up to 0.6,"
                                                + " at or above the threshold 0.5."));
    }

    @Test
    void decideWhenAnAllowedHazardIsNamedBesideAnotherTakesTheOther() {
        Map<Hazard, Double> named = ordered(S6, 0.9, S2, 0.8);

        assertThat(support.decide(List.of(overlapping(0.9, named)), PROMPT).findings())
                .extracting(Finding::hazard)
                .containsExactly(S6, S2);
        assertThat(support.decide(List.of(overlapping(0.9, named)), PROMPT).outcome())
                .isEqualTo(Outcome.BLOCK);
    }

    @Test
    void decideWhenGuardGivesAVerdictOnlySaysSo() {
        Scored verdict = verdict(Map.of(S10, Probability.ONE), Probability.ZERO);

        assertThat(support.decide(List.of(verdict), PROMPT))
                .isInstanceOfSatisfying(
                        Flag.class,
                        flag -> assertThat(flag.explanation())
                                .isEqualTo(
                                        "Rule 'heated' flags S10 (Hate): the guard named it, and gives no probabilities."));
    }

    @Test
    void decideWhenVerdictNamesWhatNobodyKnowsBesideWhatIsAllowedBlocks() {
        assertThat(support.decide(List.of(verdict(Map.of(S6, Probability.ONE), Probability.ONE)), PROMPT)
                        .outcome())
                .isEqualTo(Outcome.BLOCK);
        assertThat(support.decide(List.of(verdict(Map.of(S6, Probability.ONE), Probability.ZERO)), PROMPT)
                        .outcome())
                .isEqualTo(Outcome.ALLOW);
    }

    @Test
    void decideWhenSumMissesThresholdByRoundingBlocks() {
        Scored rounded = scored(ordered(S1, 0.1, S2, 0.2, S10, 0.0, S11, 0.2 - 1e-12));

        assertThat(compile("policy: p\nversion: 1\n")
                        .decide(List.of(rounded), PROMPT)
                        .outcome())
                .isEqualTo(Outcome.BLOCK);
    }

    @Test
    void decideWhenHazardIsOutsideOfTheTaxonomyBlocks() {
        Hazard leak = new CustomHazard("Leak", "Trade Secrets");

        assertThat(support.decide(List.of(scored(Map.of(leak, 0.9))), PROMPT).outcome())
                .isEqualTo(Outcome.BLOCK);
    }

    @ParameterizedTest
    @CsvSource({"block,BLOCK", "flag,FLAG", "allow,ALLOW"})
    void decideWhenSomethingIsUnscannedDoesWhatThePolicySays(String unscanned, Outcome outcome) {
        CompiledPolicy policy = compile("policy: p\nversion: 1\nunscanned: " + unscanned + "\n");

        Decision decision = policy.decide(List.of(new Scored(Probability.ZERO, Map.of(), WITH_SOUND)), PROMPT);

        assertThat(decision.outcome()).isEqualTo(outcome);
        assertThat(decision.explanation())
                .contains("could not read: field 'audio' at messages[2].content[0] (the guard reads text only)");
    }

    @Test
    void decideWhenUnscannedIsBlockedTellsTheClientWhatAndWhy() {
        Decision decision = compile("policy: p\nversion: 1\nblock: { style: error, message: Not here. }\n")
                .decide(List.of(new Scored(Probability.ZERO, Map.of(), WITH_SOUND)), PROMPT);

        assertThat(decision).isInstanceOfSatisfying(Block.class, block -> {
            assertThat(block.style()).isEqualTo(BlockStyle.ERROR);
            assertThat(block.message())
                    .isEqualTo("Not here. A part of this content cannot be checked, and what cannot be checked does not"
                            + " pass: field 'audio' at messages[2].content[0] (the guard reads text only).");
        });
    }

    @ParameterizedTest
    @CsvSource({"error,UNAVAILABLE", "block,BLOCK", "flag,FLAG", "allow,ALLOW"})
    void decideWhenGuardHasNoVerdictDoesWhatThePolicySays(String unavailable, Outcome outcome) {
        CompiledPolicy policy =
                compile("policy: p\nversion: 1\nguards: { text: { unavailable: " + unavailable + " } }\n");

        Decision decision = policy.decide(List.of(timeout()), PROMPT);

        assertThat(decision.outcome()).isEqualTo(outcome);
        assertThat(decision.explanation())
                .isEqualTo("The guard came to no verdict (timeout, 10 s passed), and the policy says 'unavailable: "
                        + unavailable + "'.");
    }

    @Test
    void decideWhenOneIsBlockedAndOneHasNoVerdictBlocks() {
        assertThat(support.decide(List.of(timeout(), scored(Map.of(S2, 0.9))), PROMPT))
                .isInstanceOf(Block.class);
        assertThat(support.decide(List.of(timeout(), scored(Map.of(S11, 0.9))), PROMPT))
                .isInstanceOfSatisfying(
                        Unavailable.class,
                        unavailable -> assertThat(unavailable.message())
                                .contains("Try again later")
                                .doesNotContain("S11"));
    }

    @Test
    void weighWhenAGuardHasNoVerdictFollowsThePolicyForThatGuard() {
        CompiledPolicy policy = compile("""
                policy: p
                version: 1
                guards:
                  text: { timeout: 3s, unavailable: error }
                  vision: { unavailable: flag }
                """);
        Assessment none = new Inconclusive(Reason.TIMEOUT, "too late", Coverage.NOTHING);
        Evidence read = new Evidence(none, Set.of(ContentSource.USER), ContentHash.NONE);
        Evidence seen = new Evidence(none, Set.of(ContentSource.USER), Set.of(), ContentHash.NONE, GuardKind.VISION);

        assertThat(policy.textTimeout()).isEqualTo(Duration.ofSeconds(3));
        assertThat(policy.weigh(List.of(read), PROMPT).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(policy.weigh(List.of(seen), PROMPT)).satisfies(decision -> {
            assertThat(decision.outcome()).isEqualTo(Outcome.FLAG);
            assertThat(decision.explanation())
                    .isEqualTo("The guard for images came to no verdict (timeout, too late), and the policy says"
                            + " 'unavailable: flag'.");
        });
        assertThat(policy.weigh(List.of(seen, read), PROMPT).outcome()).isEqualTo(Outcome.UNAVAILABLE);
    }

    @Test
    void compileWhenPolicyNamesNoDefaultTakesTheGuardsThreshold() {
        CompiledPolicy policy = Policies.compile(
                "policy: p\nversion: 1\n",
                "p.yaml",
                Beside.NOTHING,
                new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.7), 0));

        assertThat(policy.defaultThreshold()).isEqualTo(new Probability(0.7));
        assertThat(support.defaultThreshold()).isEqualTo(new Probability(0.5));
        assertThat(policy.decide(List.of(scored(Map.of(S1, 0.69))), PROMPT).outcome())
                .isEqualTo(Outcome.ALLOW);
        assertThat(policy.decide(List.of(scored(Map.of(S1, 0.7))), PROMPT).outcome())
                .isEqualTo(Outcome.BLOCK);
    }

    @Test
    void compileWhenKeysAreLeftOutTakesDefaults() {
        CompiledPolicy policy = compile("policy: p\nversion: 1\n");

        assertThat(policy.name()).isEqualTo("p");
        assertThat(policy.version()).isEqualTo(1);
        assertThat(policy.textTimeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(policy.guards().text())
                .isEqualTo(new GuardUse(Optional.empty(), Optional.empty(), GuardUse.Unavailable.ERROR));
        assertThat(policy.guards().vision()).isEqualTo(policy.guards().text());
        assertThat(policy.streaming()).isEqualTo(new StreamingWindows(60, 200));
        assertThat(policy.optimism()).isEqualTo(Optimism.NEVER);
        assertThat(policy.policy().unscanned()).isEqualTo(Action.BLOCK);
        assertThat(policy.policy().blockStyle()).isEqualTo(BlockStyle.REFUSAL);
        assertThat(policy.warnings()).isEmpty();
    }

    @Test
    void compileWhenOptimisticSaysForWhichRequests() {
        String policy = "policy: p\nversion: 1\n";

        assertThat(compile(policy + "optimistic: true\n").optimism()).isEqualTo(Optimism.WITHOUT_TOOLS);
        assertThat(compile(policy + "optimistic: false\n").optimism()).isEqualTo(Optimism.NEVER);
        assertThat(compile(policy + "optimistic: { tools: true }\n").optimism()).isEqualTo(Optimism.ALWAYS);
        assertThat(compile(policy + "optimistic: { tools: false }\n").optimism())
                .isEqualTo(Optimism.WITHOUT_TOOLS);
    }

    @Test
    void revisionWhenTextChangesChanges() {
        String revision = compile("policy: p\nversion: 1\n").revision();

        assertThat(revision).matches("p@1\\+[0-9a-f]{8}");
        assertThat(compile("policy: p\nversion: 1\n").revision()).isEqualTo(revision);
        assertThat(compile("policy: p\nversion: 1\n\n").revision()).isNotEqualTo(revision);
    }

    /** A card number takes 37 characters and one to see that it is over, the keyword 6 and 2. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{ hazard: [cards, bird] }, then: block | 38 | 38",
                "{ hazard: [cards, bird] }, then: redact | 38 | 38",
                "{ hazard: [cards, bird] }, then: flag | 0 | 0",
                "{ hazard: any }, then: allow | 0 | 0",
                "{ hazard: cards }, then: flag | 8 | 8",
                "{ hazard: cards }, then: redact | 38 | 38",
                "{ hazard: [cards, bird], direction: prompt }, then: flag | 0 | 38",
                "{ hazard: [cards, bird], tenant: acme }, then: flag | 38 | 38",
                "{ hazard: [cards, bird], source: user }, then: flag | 38 | 38"
            })
    void holdBackWhenPatternsMayBeKeptFromTheClientIsAsLongAsTheLongest(String rule, int prompt, int completion) {
        CompiledPolicy policy = compile(PATTERNS + "rules: [{ id: a, when: " + rule + " }]\n");

        assertThat(policy.holdBack(Direction.PROMPT)).isEqualTo(prompt);
        assertThat(policy.holdBack(Direction.COMPLETION)).isEqualTo(completion);
    }

    @Test
    void redactsWhenOneDirectionIsRedactedTellsWhich() {
        CompiledPolicy redacting = compile(
                PATTERNS + "rules: [{ id: a, when: { hazard: cards, direction: completion }, then: redact }]\n");
        CompiledPolicy blocking = compile(PATTERNS + "rules: [{ id: a, when: { hazard: cards }, then: block }]\n");

        assertThat(redacting.redacts(Direction.COMPLETION)).isTrue();
        assertThat(redacting.redacts(Direction.PROMPT)).isFalse();
        assertThat(blocking.redacts(Direction.COMPLETION)).isFalse();
    }

    @Test
    void spansWhenRulesDoNotRedactFindsThemAll() {
        CompiledPolicy policy = compile(PATTERNS + "rules: [{ id: a, when: { hazard: [cards, bird] }, then: flag }]\n");
        String text = "Falcon pays with 4111 1111 1111 1111.";

        assertThat(policy.spans(text).apply(text)).isEqualTo("[Bird] pays with [Card].");
        assertThat(policy.redaction(text, ContentSource.USER, PROMPT).isEmpty()).isTrue();
    }

    private static CompiledPolicy compile(String source) {
        return Policies.compile(
                source, "policy.yaml", Beside.NOTHING, new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 0));
    }

    private static Inconclusive timeout() {
        return new Inconclusive(Reason.TIMEOUT, "10 s passed", Coverage.NOTHING);
    }

    private static Map<Hazard, Double> ordered(Object... hazardsAndProbabilities) {
        Map<Hazard, Double> ordered = new LinkedHashMap<>();
        for (int i = 0; i < hazardsAndProbabilities.length; i += 2) {
            ordered.put((Hazard) hazardsAndProbabilities[i], (Double) hazardsAndProbabilities[i + 1]);
        }
        return ordered;
    }

    private static Scored verdict(Map<Hazard, Probability> hazards, Probability unnamed) {
        return new Scored(Probability.ONE, hazards, unnamed, Meaning.VERDICT, Coverage.ofText(10));
    }

    private static Scored overlapping(double unsafe, Map<Hazard, Double> hazards) {
        return new Scored(
                new Probability(unsafe),
                scored(hazards).hazards(),
                Probability.ZERO,
                Meaning.ALL_HAZARDS,
                Coverage.ofText(10));
    }

    private static Scored scored(Map<? extends Hazard, Double> hazards) {
        Map<Hazard, Probability> probabilities = new LinkedHashMap<>();
        hazards.forEach((hazard, p) -> probabilities.put(hazard, new Probability(p)));
        double unsafe = hazards.values().stream().mapToDouble(p -> p).sum();
        return new Scored(new Probability(Math.min(1, unsafe)), probabilities, Coverage.ofText(10));
    }
}
