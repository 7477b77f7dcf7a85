package dev.corral.guardmodels.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.guardmodels.GuardDirectories;
import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.prompt.Category;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.prompt.VerdictWords;
import dev.corral.policies.taxonomy.CustomHazard;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GuardManifestTests {

    @Test
    void parseWhenCompleteGivesEveryKey() {
        GuardManifest manifest = GuardManifest.parse(GuardDirectories.TINY, "guard.yaml");
        assertThat(manifest.id()).isEqualTo("tiny-guard");
        assertThat(manifest.family()).isEqualTo(GuardFamily.LLAMA_GUARD_3);
        assertThat(manifest.precision()).isEqualTo(Precision.FP32);
        assertThat(manifest.licence()).isEqualTo("none");
        assertThat(manifest.quality()).isEqualTo("none: it is random");
        assertThat(manifest.recommendedThreshold().value()).isEqualTo(0.5);
        assertThat(manifest.context()).isEqualTo(new GuardManifest.Context(600, 32));
        assertThat(manifest.shape()).isEqualTo(new ModelShape(3, 2, 16, 5, 600));
        assertThat(manifest.verdict().lead()).containsExactly(271);
        assertThat(manifest.verdict().continuation()).containsExactly(300, 198, 50);
        assertThat(manifest.verdict().safe()).isZero();
        assertThat(manifest.verdict().unsafe()).isOne();
        assertThat(manifest.verdict().hazards()).containsEntry("S9", 4).hasSize(3);
        assertThat(manifest.taxonomy().hazards())
                .isEqualTo(List.of(StandardHazard.S1, StandardHazard.S2, StandardHazard.S9));
        assertThat(manifest.made().source()).containsEntry("model.safetensors", "abc");
    }

    @Test
    void toYamlWhenParsedAgainGivesTheSame() {
        GuardManifest manifest = GuardManifest.parse(GuardDirectories.TINY, "guard.yaml");
        assertThat(GuardManifest.parse(manifest.toYaml(), "again")).isEqualTo(manifest);
    }

    @Test
    void toYamlWhenTheHeadsRowsHaveTokensKeepsThem() {
        GuardManifest manifest = GuardManifest.parse(
                GuardDirectories.TINY.replace("  safe: 0", "  tokens: [19, 300, 16, 17, 24]\n  safe: 0"), "guard.yaml");

        assertThat(manifest.verdict().tokens()).containsExactly(19, 300, 16, 17, 24);
        assertThat(GuardManifest.parse(manifest.toYaml(), "again")).isEqualTo(manifest);
    }

    @Test
    void toYamlWhenTheOriginalIsToldKeepsIt() {
        String yaml =
                GuardDirectories.TINY.replace("recipe: fp32,", "recipe: fp32, original: 'a program: for phones',");
        GuardManifest manifest = GuardManifest.parse(yaml, "guard.yaml");

        assertThat(manifest.made().original()).contains("a program: for phones");
        assertThat(GuardManifest.parse(manifest.toYaml(), "again")).isEqualTo(manifest);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            format: 1               | format: 2              | 'format' is 2, but this Corral reads only 1
            id: tiny-guard          | id: tiny guard         | 'id' must be letters, digits, dots and hyphens: 'tiny guard'
            id: tiny-guard          | id: 7                  | 'id' must be text: '7'
            family: llama-guard-3   | family: llama-guard-9  | 'family' must be one of llama-guard-3, llama-guard-3-8b, corral-starter: 'llama-guard-9'
            precision: fp32         | precision: fp64        | 'precision' must be one of fp32, fp16, int8, int4: 'fp64'
            licence: none           | license: none          | 'licence' is missing: it must be text
            licence: none           | license: none          | 'license' is not a key of this format; remove it
            tokens: 600             | tokens: many           | 'context.tokens' must be a whole number: 'many'
            tokens: 600             | tokens: 0              | 'context.tokens' must be at least 1: 0
            overlap: 32             | overlap: 300           | in 'context': 'overlap' must be at most a quarter of 'tokens': 300 of 600
            lead: [271]             | lead: [x]              | 'verdict.lead' must hold whole numbers of at least 0: x
            S9: 4                   | S9: 1                  | in 'verdict': 'unsafe' and 'S9' have the same row 1
            S9: 4                   | S9: 5                  | in 'verdict': the row of 'S9' must be below head-rows 5: 5
            S9: 4                   | S99: 4                 | in 'verdict': hazard 'S99' is not known to family llama-guard-3
            threshold: 0.5          | threshold: 1.5         | 'recommended-threshold' must be between 0 and 1: 1.5
            safe: 0                 | list: {}               | 'verdict.list.names' is missing: it must be a mapping
            safe: 0                 | list: { names: {S1: []}, another: [], more: 1, end: 2 } | in 'verdict.list': the name of 'S1' must have at least one token
            safe: 0                 | list: { names: {S1: [1]}, another: [7], more: 2, end: 9 } | 'verdict.list.names' must have the tokens of every hazard of 'hazards'
            safe: 0                 | tokens: [7, 8]         | in 'verdict': 'tokens' must be a token for each of the 5 head-rows: [7, 8]
            safe: 0                 | tokens: [7, 8, 9, 9, 10] | in 'verdict': 'tokens' must be a token for each of the 5 head-rows: [7, 8, 9, 9, 10]
            recipe: fp32,           | recipe: fp32, by: me,  | 'made.by' is not a key of this format; remove it
            """)
    void parseWhenOneValueIsWrongNamesIt(String right, String wrong, String problem) {
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(() -> GuardManifest.parse(GuardDirectories.TINY.replace(right, wrong), "dir/guard.yaml"))
                .withMessageStartingWith("dir/guard.yaml cannot be used:")
                .withMessageMatching("(?s).*\n  - (line [0-9]+: )?" + Pattern.quote(problem) + ".*");
    }

    private static final String OWN =
            GuardDirectories.TINY.replace("verdict:\n", """
            taxonomy:
              name: acme
              hazards:
                - { code: C1, name: Trade Secrets }
                - code: C2
                  name: Bad Manners
                  prompt: |-
                    Bad Manners.
                    Rude words of any kind.
                - { code: S9, name: Indiscriminate Weapons }
            verdict:
            """).replace("S1: 2, S2: 3, S9: 4", "C1: 2, C2: 3, S9: 4");

    @Test
    void parseWhenGuardHasHazardsOfItsOwnGivesThem() {
        GuardManifest manifest = GuardManifest.parse(OWN, "guard.yaml");
        assertThat(manifest.taxonomy())
                .isEqualTo(new Taxonomy(
                        "acme",
                        List.of(
                                new CustomHazard("C1", "Trade Secrets"),
                                new CustomHazard("C2", "Bad Manners"),
                                StandardHazard.S9)));
        assertThat(manifest.categories())
                .containsExactly(
                        new Category("C1", "Trade Secrets."),
                        new Category("C2", "Bad Manners.\nRude words of any kind."),
                        new Category("S9", "Indiscriminate Weapons."));
        assertThat(GuardManifest.parse(manifest.toYaml(), "again")).isEqualTo(manifest);
    }

    @Test
    void parseWhenItsHazardsHaveMistakesNamesAllWithTheirLines() {
        String wrong = OWN.replace("{ code: C1, name: Trade Secrets }", "{ code: C 1, name: Trade Secrets, text: t }")
                .replace("code: C2", "code: S9")
                .replace("name: acme", "name: ''")
                .replace(
                        "- { code: S9, name: Indiscriminate Weapons }",
                        "- { code: S9, nam: '' }\n    - { code: S9, name: b }");
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(() -> GuardManifest.parse(wrong, "guard.yaml"))
                .withMessageContainingAll(
                        "\n  - line 11: 'taxonomy.name' must not be blank",
                        "\n  - line 13: in 'taxonomy.hazards[0]': a hazard's code must be letters, digits and hyphens,"
                                + " starting with a letter: 'C 1'",
                        "\n  - line 13: 'taxonomy.hazards[0].text' is not a key of this format; remove it",
                        "\n  - line 19: 'taxonomy.hazards[2].name' is missing: it must be text",
                        "\n  - line 19: 'taxonomy.hazards[2].nam' is not a key of this format; remove it",
                        "\n  - line 20: in 'taxonomy.hazards[3]': hazard 'S9' stands in line 14 already;"
                                + " give it another code");
    }

    @Test
    void parseWhenRowsAndHazardsDifferSaysWhichAndWhere() {
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(() -> GuardManifest.parse(OWN.replace("C2: 3", "C3: 3"), "guard.yaml"))
                .withMessageContainingAll(
                        "\n  - line 20: in 'verdict': hazard 'C2' of 'taxonomy' has no row in 'hazards'; add its row, or"
                                + " remove it from 'taxonomy'",
                        "\n  - line 20: in 'verdict': hazard 'C3' is not known to 'taxonomy'");
    }

    @Test
    void parseWhenPromptHasNoListRefusesToIgnoreWhatItShouldSay() {
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(() -> GuardManifest.parse(
                        OWN.replace("family: llama-guard-3", "family: corral-starter"), "guard.yaml"))
                .withMessageContaining(
                        "'prompt' would be ignored: the prompt of family corral-starter does not list its"
                                + " hazards; remove it");
    }

    @Test
    void parseWhenAFileOfHazardsIsGivenReadsHazardsAndWords() {
        OwnHazards hazards = OwnHazards.parse("""
                name: acme
                hazards: [{ code: C1, name: Trade Secrets, prompt: Secrets! }]
                answer: { safe: ok, unsafe: bad }
                """, "hazards.yaml", GuardFamily.LLAMA_GUARD_3);
        assertThat(hazards.words()).isEqualTo(new VerdictWords("ok", "bad"));
        assertThat(hazards.catalogue().categories()).containsExactly(new Category("C1", "Secrets!"));
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(() -> OwnHazards.parse("""
                        hazards: []
                        answer: { safe: ok, unsafe: ok }
                        licence: none
                        """, "hazards.yaml", GuardFamily.CORRAL_STARTER))
                .withMessage("""
                        hazards.yaml cannot be used:
                          - 'name' is missing: it must be text
                          - line 1: 'hazards' must have at least one element
                          - line 2: in 'answer': a guard of family corral-starter answers with its own head; remove it
                          - 'answer.safe' and 'answer.unsafe' must not be the same: 'ok'
                          - line 3: 'licence' is not a key of this format; remove it""");
    }

    @Test
    void parseWhenEmptyNamesEveryMissingKeyAtOnce() {
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(() -> GuardManifest.parse("{}", "guard.yaml"))
                .withMessageContainingAll(
                        "'format'", "'id'", "'family'", "'context.tokens'", "'verdict.safe'", "'made.tool'");
    }

    @Test
    void parseWhenNotYamlSaysSo() {
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(() -> GuardManifest.parse("a: [", "guard.yaml"))
                .withMessageStartingWith("guard.yaml is not valid YAML: ");
    }
}
