package dev.corral.guardmodels.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.guardmodels.GuardDirectories;
import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.policies.taxonomy.StandardHazard;
import java.util.List;
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
            recipe: fp32,           | recipe: fp32, by: me,  | 'made.by' is not a key of this format; remove it
            """)
    void parseWhenOneValueIsWrongNamesIt(String right, String wrong, String problem) {
        assertThatExceptionOfType(UnusableGuardException.class)
                .isThrownBy(() -> GuardManifest.parse(GuardDirectories.TINY.replace(right, wrong), "dir/guard.yaml"))
                .withMessageStartingWith("dir/guard.yaml cannot be used:")
                .withMessageContaining("\n  - " + problem);
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
