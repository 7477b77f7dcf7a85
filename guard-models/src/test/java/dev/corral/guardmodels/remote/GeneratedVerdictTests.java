package dev.corral.guardmodels.remote;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.Fixtures;
import dev.corral.guardmodels.prompt.VerdictWords;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/** The golden table of generated answers. */
class GeneratedVerdictTests {

    private static final JsonNode LABELS = Fixtures.json("/fixtures/llama-guard-3-template/labels.json");

    static Stream<JsonNode> labels() {
        return StreamSupport.stream(LABELS.get("cases").spliterator(), false);
    }

    private static GeneratedVerdict read(String text) {
        return GeneratedVerdict.read(text, Taxonomy.LLAMA_GUARD_3, VerdictWords.LLAMA_GUARD);
    }

    private static List<String> strings(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonNode::stringValue)
                .toList();
    }

    @Test
    void labelsWhenReadAreAllThere() {
        assertThat(labels()).hasSize(47);
    }

    @ParameterizedTest
    @MethodSource("labels")
    void readWhenGoldenAnswerGivesItsVerdict(JsonNode label) {
        GeneratedVerdict verdict = read(label.get("text").stringValue());
        switch (label.get("verdict").stringValue()) {
            case "SAFE" -> assertThat(verdict).isEqualTo(new GeneratedVerdict.Safe());
            case "UNSAFE" ->
                assertThat(verdict).isInstanceOfSatisfying(GeneratedVerdict.Unsafe.class, unsafe -> {
                    assertThat(unsafe.hazards())
                            .extracting(Hazard::code)
                            .containsExactlyElementsOf(strings(label.get("codes")));
                    assertThat(unsafe.unknown()).containsExactlyElementsOf(strings(label.get("unknown")));
                });
            default -> assertThat(verdict).isInstanceOf(GeneratedVerdict.Unreadable.class);
        }
    }

    @Test
    void readWhenAnswerIsUnreadableNeverRepeatsIt() {
        assertThat(read("I cannot help with that.")).isInstanceOfSatisfying(GeneratedVerdict.Unreadable.class, none -> {
            assertThat(none.why()).contains("24 characters").doesNotContain("help");
        });
    }

    @Test
    void readWhenGuardHasOtherWordsReadsThem() {
        VerdictWords words = new VerdictWords("ok", "bad");
        assertThat(GeneratedVerdict.read("\n\nok<|eot_id|>", Taxonomy.LLAMA_GUARD_3, words))
                .isEqualTo(new GeneratedVerdict.Safe());
        assertThat(GeneratedVerdict.read("safe", Taxonomy.LLAMA_GUARD_3, words))
                .isInstanceOf(GeneratedVerdict.Unreadable.class);
    }
}
