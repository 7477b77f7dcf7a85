package dev.corral.policies.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Difference.OfDecision;
import dev.corral.policies.policy.Difference.OfSetting;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Whatever a policy can say, a change of it is told, unless it means nothing. */
class PolicyDiffTests {

    private static final GuardSight SIGHT = new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 0);

    /** A guard that can be asked for a policy's own hazards. */
    private static final GuardSight ASKABLE = new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 20);

    private static final Map<String, String> FILES = Map.of(
            "strict.yaml", "policy: strict\nversion: 1\nrules: [{ id: a, when: { hazard: S1 }, then: block }]\n",
            "lenient.yaml", "policy: lenient\nversion: 1\nrules: [{ id: a, when: { hazard: S1 }, then: allow }]\n",
            "low.yaml", "thresholds: { S1: 0.2 }\n",
            "high.yaml", "thresholds: { S1: 0.8 }\n",
            "some.txt", "acme\n",
            "more.txt", "acme\nglobex\n");

    /** Keys whose change is no difference, with all keys below them, and policies that differ in nothing else. */
    private static final Map<String, List<String>> MEANINGLESS = Map.of(
            "$schema", List.of("", "$schema: policy.schema.json"),
            "policy", List.of("policy: p", "policy: q"),
            "version", List.of("version: 1", "version: 2"),
            "owner", List.of("owner: a", "owner: b"),
            "description", List.of("description: a", "description: b"),
            "tests", List.of("", "tests: [{ prompt: a, given: { S1: 0.9 }, expect: block }]"),
            "rules.id",
                    List.of(
                            rules("id: a, when: { hazard: S1 }, then: flag"),
                            rules("id: b, when: { hazard: S1 }, then: flag")),
            "rules.override",
                    List.of(
                            "extends: strict\n" + rules("id: b, when: { hazard: S1, direction: prompt }, then: allow"),
                            "extends: strict\n"
                                    + rules(
                                            "id: a, when: { hazard: S1, direction: prompt }, then: allow, override: true")));

    /** Keys whose change shows in decisions: two policies that decide differently. */
    private static final Map<String, List<String>> OF_DECISIONS = Map.ofEntries(
            Map.entry("extends", List.of("extends: strict", "extends: lenient")),
            Map.entry("exclude", List.of("", "exclude: [S13]")),
            Map.entry("thresholds", List.of("thresholds: { S1: 0.2 }", "thresholds: { S1: 0.3 }")),
            Map.entry("thresholds-from", List.of("thresholds-from: low.yaml", "thresholds-from: high.yaml")),
            Map.entry("rules", List.of("", rules("id: a, when: { hazard: S1 }, then: flag"))),
            Map.entry("rules.when", List.of(when("hazard: S1"), when("hazard: S2"))),
            Map.entry("rules.when.hazard", List.of(when("hazard: S1"), when("hazard: [S1, S2]"))),
            Map.entry("rules.when.direction", List.of(when("hazard: S1"), when("hazard: S1, direction: prompt"))),
            Map.entry("rules.when.source", List.of(when("hazard: S1"), when("hazard: S1, source: user"))),
            Map.entry("rules.when.tool", List.of(when("hazard: S1, tool: shell"), when("hazard: S1, tool: \"sh*\""))),
            Map.entry("rules.when.route", List.of(when("hazard: S1, route: a"), when("hazard: S1, route: b"))),
            Map.entry("rules.when.tenant", List.of(when("hazard: S1, tenant: a"), when("hazard: S1, tenant: [a, b]"))),
            Map.entry("rules.when.tenant-in", List.of(listed("tenant-in: some"), listed("tenant-in: more"))),
            Map.entry("rules.when.content-in", List.of(listed("content-in: some"), listed("content-in: more"))),
            Map.entry("rules.when.model", List.of(when("hazard: S1, model: a"), when("hazard: S1, model: b"))),
            Map.entry(
                    "rules.when.language", List.of(when("hazard: S1, language: de"), when("hazard: S1, language: fr"))),
            Map.entry(
                    "rules.when.probability",
                    List.of(when("hazard: S1"), when("hazard: S1, probability: { below: 0.7 }"))),
            Map.entry("rules.when.probability.at-least", List.of(blockedFrom(0.6), blockedFrom(0.7))),
            Map.entry(
                    "rules.when.probability.below",
                    List.of(
                            when("hazard: S1, probability: { below: 0.6 }"),
                            when("hazard: S1, probability: { below: 0.7 }"))),
            Map.entry(
                    "rules.when.condition",
                    List.of(
                            when("hazard: S1, condition: \"tenant == 'a'\""),
                            when("hazard: S1, condition: \"tenant == 'b'\""))),
            Map.entry(
                    "rules.then",
                    List.of(
                            rules("id: a, when: { hazard: S1 }, then: flag"),
                            rules("id: a, when: { hazard: S1 }, then: allow"))),
            Map.entry(
                    "rules.message",
                    List.of(
                            rules("id: a, when: { hazard: S1 }, then: respond, message: Hello"),
                            rules("id: a, when: { hazard: S1 }, then: respond, message: { en: Hello, de: Hallo }"))),
            Map.entry(
                    "rules.audit",
                    List.of(
                            rules("id: a, when: { hazard: S1 }, then: flag"),
                            rules("id: a, when: { hazard: S1 }, then: flag, audit: text"))));

    /** Keys whose change is told by the key itself, or where that is another one, by that. */
    private static final Map<String, List<String>> OF_SETTINGS = Map.ofEntries(
            Map.entry("applies-to", List.of("", "applies-to: { tenant: a }", "applies-to.tenant")),
            Map.entry("applies-to.tenant", List.of("applies-to: { tenant: a }", "applies-to: { tenant: [a, b] }")),
            Map.entry("applies-to.route", List.of("applies-to: { route: a }", "applies-to: { route: b }")),
            Map.entry("shadow", List.of("", "shadow: [next]")),
            Map.entry("hazards", List.of("", hazard("name: H, patterns: h1"), "hazards.h.patterns")),
            Map.entry(
                    "hazards.name",
                    List.of(
                            hazard("name: H, patterns: h1, replacement: x"),
                            hazard("name: I, patterns: h1, replacement: x"),
                            "hazards.h.name")),
            Map.entry(
                    "hazards.description",
                    List.of(
                            hazard("name: H, description: a"),
                            hazard("name: H, description: b"),
                            "hazards.h.description")),
            Map.entry(
                    "hazards.patterns",
                    List.of(hazard("name: H, patterns: h1"), hazard("name: H, patterns: h2"), "hazards.h.patterns")),
            Map.entry(
                    "hazards.keywords",
                    List.of(hazard("name: H, keywords: a"), hazard("name: H, keywords: [a, b]"), "hazards.h.keywords")),
            Map.entry(
                    "hazards.keywords.file",
                    List.of(
                            hazard("name: H, keywords: { file: some.txt }"),
                            hazard("name: H, keywords: { file: more.txt }"),
                            "hazards.h.keywords")),
            Map.entry(
                    "hazards.numbers",
                    List.of(hazard("name: H, numbers: card"), hazard("name: H, numbers: iban"), "hazards.h.numbers")),
            Map.entry(
                    "hazards.replacement",
                    List.of(
                            hazard("name: H, numbers: card, replacement: a"),
                            hazard("name: H, numbers: card, replacement: b"),
                            "hazards.h.replacement")),
            Map.entry("lists", List.of("lists: { l: [a] }", "lists: { l: [a, b] }", "lists.l")),
            Map.entry(
                    "lists.file",
                    List.of("lists: { l: { file: some.txt } }", "lists: { l: { file: more.txt } }", "lists.l")),
            Map.entry("unscanned", List.of("unscanned: flag", "unscanned: allow")),
            Map.entry("block", List.of("", "block: { message: No. }", "block.message")),
            Map.entry("block.style", List.of("", "block: { style: error }")),
            Map.entry(
                    "block.message", List.of("block: { message: No. }", "block: { message: { en: No., de: Nein. } }")),
            Map.entry("audit", List.of("", "audit: hash")),
            Map.entry("guards", List.of("", "guards: { text: { timeout: 2s } }", "guards.text.timeout")),
            Map.entry("guards.text", List.of("", "guards: { text: { timeout: 2s } }", "guards.text.timeout")),
            Map.entry("guards.text.use", List.of("", "guards: { text: { use: a } }")),
            Map.entry(
                    "guards.text.timeout",
                    List.of("guards: { text: { timeout: 2s } }", "guards: { text: { timeout: 2500ms } }")),
            Map.entry("guards.text.unavailable", List.of("", "guards: { text: { unavailable: block } }")),
            Map.entry("guards.vision", List.of("", "guards: { vision: { timeout: 2s } }", "guards.vision.timeout")),
            Map.entry("guards.vision.use", List.of("", "guards: { vision: { use: a } }")),
            Map.entry("guards.vision.timeout", List.of("", "guards: { vision: { timeout: 2s } }")),
            Map.entry("guards.vision.unavailable", List.of("", "guards: { vision: { unavailable: block } }")),
            Map.entry("images", List.of("", "images: { fetch: https }", "images.fetch")),
            Map.entry("images.fetch", List.of("", "images: { fetch: https }")),
            Map.entry(
                    "images.hosts",
                    List.of(
                            "images: { fetch: https, hosts: [a.org] }",
                            "images: { fetch: https, hosts: [a.org, b.org] }")),
            Map.entry("images.pass", List.of("images: { fetch: https }", "images: { fetch: https, pass: url }")),
            Map.entry("streaming", List.of("", "streaming: { window: 100 characters }", "streaming.window")),
            Map.entry("streaming.window", List.of("", "streaming: { window: 100 characters }")),
            Map.entry("streaming.first-window", List.of("", "streaming: { first-window: 10 characters }")),
            Map.entry("streaming.every", List.of("", "streaming: { every: 500ms }")),
            Map.entry("optimistic", List.of("", "optimistic: true")),
            Map.entry("optimistic.tools", List.of("optimistic: true", "optimistic: { tools: true }", "optimistic")));

    /** {@code lookback} has one value. */
    private static final Set<String> OF_ONE_VALUE = Set.of("streaming.lookback");

    private static String rules(String rule) {
        return "rules: [{ " + rule + " }]";
    }

    private static String when(String when) {
        return rules("id: a, when: { " + when + " }, then: flag");
    }

    private static String blockedFrom(double probability) {
        return "rules: [{ id: a, when: { hazard: S1, probability: { at-least: " + probability
                + " } }, then: block }, { id: b, when: { hazard: S1 }, then: flag }]";
    }

    private static String listed(String in) {
        return "lists: { some: [acme], more: [acme, globex] }\n" + when("hazard: S1, " + in);
    }

    private static String hazard(String hazard) {
        return "hazards: { h: { " + hazard + " } }";
    }

    @Test
    void schemaWhenComparedHasNoKeyThatThisTestDoesNotKnow() {
        Set<String> known = new TreeSet<>(OF_ONE_VALUE);
        Stream.of(MEANINGLESS, OF_DECISIONS, OF_SETTINGS).forEach(cases -> known.addAll(cases.keySet()));
        Set<String> keys = new TreeSet<>();
        collect(JsonMapper.builder().build().readTree(Policies.schema()), "", keys);
        keys.removeIf(key -> key.startsWith("tests."));

        assertThat(known).isEqualTo(keys);
    }

    /** Keys by their path; what is in a list, or under a name of one's own, adds nothing to it. */
    private static void collect(JsonNode schema, String path, Set<String> keys) {
        schema.path("properties").properties().forEach(property -> {
            String key = path + property.getKey();
            keys.add(key);
            collect(property.getValue(), key + ".", keys);
        });
        List<JsonNode> further = new ArrayList<>(List.of(schema.path("items"), schema.path("additionalProperties")));
        schema.path("anyOf").forEach(further::add);
        further.stream().filter(JsonNode::isObject).forEach(part -> collect(part, path, keys));
    }

    @TestFactory
    Stream<DynamicTest> betweenWhenAKeyWithoutMeaningChangesFindsNothing() {
        return MEANINGLESS.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(
                        entry.getKey(),
                        () -> assertThat(between(entry.getValue()))
                                .as(entry.getKey())
                                .isEmpty()));
    }

    @TestFactory
    Stream<DynamicTest> betweenWhenAKeyOfDecisionsChangesFindsAnExample() {
        return OF_DECISIONS.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(
                        entry.getKey(),
                        () -> assertThat(between(entry.getValue()))
                                .as(entry.getKey())
                                .hasAtLeastOneElementOfType(OfDecision.class)));
    }

    @TestFactory
    Stream<DynamicTest> betweenWhenASettingChangesNamesIt() {
        return OF_SETTINGS.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    List<String> policies = entry.getValue();
                    String key = policies.size() > 2 ? policies.get(2) : entry.getKey();
                    List<Difference> differences = between(policies);
                    assertThat(differences)
                            .filteredOn(OfSetting.class::isInstance)
                            .extracting(difference -> ((OfSetting) difference).key())
                            .contains(key);
                    assertThat(between(policies.reversed().subList(policies.size() - 2, policies.size())))
                            .hasSameSizeAs(differences);
                }));
    }

    @Test
    void betweenWhenPoliciesAreTheSameFindsNothing() {
        CompiledPolicy policy = compile(Policies.template("balanced"));

        assertThat(PolicyDiff.between(policy, policy)).isEmpty();
    }

    /** What is written another way means the same. */
    @ParameterizedTest
    @MethodSource("templates")
    void betweenWhenOneIsTheOtherFormattedFindsNothing(String template) {
        String text = Policies.template(template);

        assertThat(PolicyDiff.between(compile(text), compile(PolicyFormatter.format(text))))
                .isEmpty();
    }

    static List<String> templates() {
        return Policies.templates();
    }

    @Test
    void betweenWhenAThresholdRisesFindsTheSmallestExample() {
        List<OfDecision> differences = decisions("thresholds: { S1: 0.3 }", "thresholds: { S1: 0.4 }");

        assertThat(differences).hasSize(2).allSatisfy(difference -> {
            assertThat(difference.hazards()).isEqualTo(Map.of(StandardHazard.S1, 0.3));
            assertThat(difference.upTo()).isEqualTo(0.4 - 0.001);
            assertThat(difference.alike()).isEmpty();
            assertThat(difference.before().outcome()).isEqualTo(Outcome.BLOCK);
            assertThat(difference.after().outcome()).isEqualTo(Outcome.ALLOW);
        });
        assertThat(differences)
                .extracting(difference -> difference.facts().direction())
                .containsExactly(Direction.PROMPT, Direction.COMPLETION);
    }

    @Test
    void betweenWhenAllHazardsChangeAlikeTellsThemAsOne() {
        List<OfDecision> differences = decisions("", rules("id: a, when: { hazard: any }, then: flag"));

        assertThat(differences).hasSize(2).allSatisfy(difference -> {
            assertThat(difference.hazards()).containsOnlyKeys(StandardHazard.S1);
            assertThat(difference.alike()).hasSize(12).doesNotContain(StandardHazard.S1);
        });
    }

    @Test
    void betweenWhenOnlyOneTenantIsTreatedOtherwiseNamesIt() {
        List<OfDecision> differences = decisions(
                "", when("hazard: S1, tenant: acme, direction: prompt").replace("id: a", "id: acme"));

        assertThat(differences).singleElement().satisfies(difference -> {
            assertThat(difference.facts().tenant()).isEqualTo("acme");
            assertThat(difference.after().rules()).containsExactly("acme");
        });
    }

    @Test
    void betweenWhenOnlySumsDifferFindsOne() {
        String own = "S1: 0.3, S2: 0.3, S3: 0.3, S4: 0.3, S5: 0.3, S6: 0.3, S7: 0.3, S8: 0.3, S9: 0.3, S10: 0.3,"
                + " S11: 0.3, S12: 0.3, S13: 0.3";

        List<OfDecision> differences =
                decisions("thresholds: { default: 0.5, " + own + " }", "thresholds: { default: 0.51, " + own + " }");

        assertThat(differences).hasSize(2).allSatisfy(difference -> {
            assertThat(difference.hazards()).hasSize(2);
            assertThat(difference.unsafe()).isEqualTo(0.5);
            assertThat(difference.before().outcome()).isEqualTo(Outcome.BLOCK);
            assertThat(difference.after().outcome()).isEqualTo(Outcome.ALLOW);
        });
    }

    @Test
    void betweenWhenNamesCountOnlyTogetherFindsThemThoughThereAreMany() {
        String many = "rules:\n"
                + Stream.of("r", "s", "t", "u", "v", "w", "x", "y", "z")
                        .map(n -> "  - { id: " + n + ", when: { hazard: S2, route: " + n + ", tenant: " + n
                                + " }, then: flag }\n")
                        .reduce("", String::concat);

        List<OfDecision> differences = decisions(
                many,
                many
                        + "  - { id: new, when: \"hazard == 'S1' && route == 'desk' && tenant == 'acme'\", then: flag }\n");

        assertThat(differences).hasSize(2).allSatisfy(difference -> {
            assertThat(difference.facts().route()).isEqualTo("desk");
            assertThat(difference.facts().tenant()).isEqualTo("acme");
        });
    }

    @Test
    void betweenWhenOnlyUnsafeAsAWholeCountsFindsIt() {
        List<OfDecision> differences = decisions(
                when("hazard: S1, condition: unsafe < 0.9"),
                when("hazard: S1, probability: { below: 0.7 }, condition: unsafe < 0.9"));

        assertThat(differences).isNotEmpty();
        assertThat(decisions(
                        when("hazard: S1, probability: { below: 0.7 }"),
                        when("hazard: S1, probability: { below: 0.7 }, condition: unsafe < 0.9")))
                .isNotEmpty()
                .allSatisfy(difference -> assertThat(difference.unsafe()).isGreaterThanOrEqualTo(0.9));
    }

    @Test
    void betweenWhenAConditionLooksIntoTextsFindsAnExampleOrShowsTheWords() {
        String before = when("hazard: S1, condition: \"model.startsWith('llama-')\"");

        assertThat(decisions(before, when("hazard: S1, condition: \"model.matches('^qwen[0-9]$')\"")))
                .extracting(difference -> difference.facts().model())
                .contains("llama-");
        assertThat(between(List.of(
                        before, when("hazard: S1, condition: \"model.startsWith('llama-') && size(model) > 30\""))))
                .contains(new OfSetting(
                        "rules.a.condition",
                        List.of("model.startsWith('llama-')"),
                        List.of("model.startsWith('llama-') && size(model) > 30")));
    }

    @Test
    void betweenWhenRulesOfOneActionChangePlacesTellsOfTheirMessages() {
        String first = "{ id: a, when: { hazard: S1 }, then: block, message: A }";
        String second = "{ id: b, when: { hazard: [S1, S2] }, then: block, message: B }";
        String third = "{ id: a, when: { hazard: [S1, S2] }, then: block, message: B }";

        assertThat(decisions("rules: [" + first + ", " + second + "]", "rules: [" + third + "]"))
                .isNotEmpty()
                .allSatisfy(difference -> {
                    assertThat(difference.hazards()).containsOnlyKeys(StandardHazard.S1);
                    assertThat(difference.before().message().map(Messages::texts))
                            .isEqualTo(Optional.of(Map.of("", "A")));
                    assertThat(difference.after().message().map(Messages::texts))
                            .isEqualTo(Optional.of(Map.of("", "B")));
                });
    }

    private static List<OfDecision> decisions(String before, String after) {
        return between(List.of(before, after)).stream()
                .filter(OfDecision.class::isInstance)
                .map(OfDecision.class::cast)
                .toList();
    }

    private static List<Difference> between(List<String> policies) {
        return PolicyDiff.between(compile(policies.get(0)), compile(policies.get(1)));
    }

    private static CompiledPolicy compile(String keys) {
        String text = (keys.contains("policy:") ? "" : "policy: p\n")
                + (keys.contains("version:") ? "" : "version: 1\n") + keys + "\n";
        return Policies.compile(
                text,
                "p.yaml",
                name -> Optional.ofNullable(FILES.get(name)),
                keys.contains("description: ") && keys.startsWith("hazards") ? ASKABLE : SIGHT);
    }
}
