package dev.corral.gateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFactsTests {

    private static final ModelFacts BUILT_IN = new ModelFacts(new CorralProperties.Models(List.of(), List.of()));

    private static final Conversation WITH_IMAGE = new Conversation(List.of(new Turn(
            Role.USER,
            List.of(
                    new Part.TextPart("What is this?", "messages[0].content[0]"),
                    new Part.ImagePart("https://example.com/cat.png", "messages[0].content[1]")))));

    @ParameterizedTest
    @ValueSource(
            strings = {
                "meta-llama/Llama-3.2-1B-Instruct",
                "meta-llama/Llama-3.2-3B-Instruct-Turbo",
                "llama3.2",
                "llama3.2:latest",
                "llama3.2:1b",
                "llama3.2:3b-instruct-q4_K_M",
                "llama-3.2-3b-preview",
                "us.meta.llama3-2-3b-instruct-v1:0",
                "accounts/fireworks/models/llama-v3p2-3b-instruct",
                "accounts/fireworks/models/llama-v3p1-405b-instruct",
                "meta-llama/llama-3.2-3b-instruct:free",
                "Llama-3.2-3B-Instruct-Q4_K_M.gguf",
                "llama-3.3-70b-versatile",
                "llama-3.1-8b-instant",
                "llama3-70b-8192",
                "databricks-meta-llama-3-3-70b-instruct",
                "meta/llama-3.3-70b-instruct-maas",
                "Meta-Llama-3.1-8B-Instruct",
                "meta-llama/Meta-Llama-3-8B-Instruct",
                "meta-llama/Llama-2-7b-chat-hf",
                "meta-llama/Llama-Guard-3-8B",
                "llama-guard3:1b"
            })
    void takesImagesWhenTheModelReadsTextOnlyIsFalse(String model) {
        assertThat(BUILT_IN.takesImages(model)).contains(false);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "meta-llama/Llama-3.2-11B-Vision-Instruct",
                "meta-llama/Llama-3.2-90B-Vision-Instruct-Turbo",
                "llama3.2-vision",
                "llama3.2-vision:11b",
                "us.meta.llama3-2-11b-instruct-v1:0",
                "meta/llama-3.2-90b-vision-instruct-maas",
                "meta-llama/Llama-4-Scout-17B-16E-Instruct",
                "meta-llama/llama-4-maverick-17b-128e-instruct",
                "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
                "databricks-llama-4-maverick",
                "llama4:scout",
                "meta-llama/Llama-Guard-3-11B-Vision",
                "meta-llama/Llama-Guard-4-12B"
            })
    void takesImagesWhenTheModelSeesIsTrue(String model) {
        assertThat(BUILT_IN.takesImages(model)).contains(true);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "gpt-4o",
                "llava-llama-3-8b-v1_1",
                "openbmb/MiniCPM-Llama3-V-2_5",
                "nvidia/Llama-3.1-Nemotron-Nano-VL-8B-V1",
                "Llama-3.2V-11B-cot",
                "my-llama-3.2-3b-with-eyes",
                "llama-3.2-3b-vision-adapter",
                "llama"
            })
    void takesImagesWhenSomebodyElseMadeTheModelIsNotKnown(String model) {
        assertThat(BUILT_IN.takesImages(model)).isEmpty();
    }

    @Test
    void takesImagesWhenTheOperatorKnowsBetterIsWhatHeSays() {
        ModelFacts facts = new ModelFacts(
                new CorralProperties.Models(List.of("llama-3.2-3b*"), List.of("support-*", "llama-3.2-3b-instruct")));
        assertThat(facts.takesImages("Llama-3.2-3B-Instruct")).contains(true);
        assertThat(facts.takesImages("support-bot")).contains(false);
        assertThat(facts.takesImages("llama3.2:1b")).contains(false);
    }

    @Test
    void checkWhenAnImageIsForATextModelIsABadRequestThatSaysWhere() {
        assertThatExceptionOfType(DialectException.class)
                .isThrownBy(() -> BUILT_IN.check("llama3.2:3b", WITH_IMAGE))
                .satisfies(refused -> {
                    assertThat(refused.error().status()).isEqualTo(400);
                    assertThat(refused.error().code()).isEqualTo("image_not_supported");
                    assertThat(refused.error().param()).isEqualTo("messages[0].content[1]");
                    assertThat(refused.error().message()).contains("'llama3.2:3b'", "Llama 3.2 11B Vision");
                });
        assertThatCode(() -> {
                    BUILT_IN.check("llama3.2-vision", WITH_IMAGE);
                    BUILT_IN.check("gpt-4o", WITH_IMAGE);
                    BUILT_IN.check(
                            "llama3.2:3b",
                            new Conversation(List.of(
                                    new Turn(Role.USER, List.of(new Part.TextPart("hello", "messages[0].content"))))));
                })
                .doesNotThrowAnyException();
    }

    @Test
    void factsWhenReadHaveASourceEach() {
        assertThat(ModelFacts.facts().known())
                .hasSizeGreaterThan(8)
                .allMatch(fact -> fact.source().getScheme().equals("https"));
    }
}
