package dev.corral.quantization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.NamedHazards;
import dev.corral.guardmodels.store.Precision;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.quantization.graph.OptimumModels;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImportCommandTests {

    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
    private static final Path GGUF = FIXTURES.resolve("tiny-gguf");

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @CsvSource({"q4_0, INT4", "q8_0, INT8", "f16, INT8"})
    void importWhenGgufMakesAGuardOfItsPrecision(String type, Precision precision) throws Exception {
        String file = "tiny-llama-guard-" + type;

        assertThat(run("import", GGUF.resolve(file + ".gguf").toString()))
                .as(err::toString)
                .isZero();

        Path guard = folder.resolve("models/guards/" + file.replace('_', '-'));
        GuardManifest manifest = GuardStore.open(guard).manifest();
        assertThat(manifest.precision()).isEqualTo(precision);
        assertThat(manifest.made().recipe()).isEqualTo("as stored or int8");
        assertThat(manifest.family()).isEqualTo(GuardFamily.LLAMA_GUARD_3);
        assertThat(manifest.model()).isEqualTo(new GuardManifest.Model(3, 2, 16, 20));
        assertThat(manifest.made().source())
                .isEqualTo(Map.of(file + ".gguf", GuardStore.digest(GGUF.resolve(file + ".gguf"))));
        assertThat(out.toString()).contains("Try it: corral run --guard " + guard);
    }

    @Test
    void importWhenInOllamasStoreMakesTheSameGuardAsOfTheFile() throws Exception {
        Path file = GGUF.resolve("tiny-llama-guard-q8_0.gguf");
        Path store = folder.resolve("ollama");
        String digest = GuardStore.digest(file);
        Files.copy(file, Files.createDirectories(store.resolve("blobs")).resolve("sha256-" + digest));
        Files.writeString(
                Files.createDirectories(store.resolve("manifests/registry.ollama.ai/library/llama-guard3"))
                        .resolve("1b"),
                "{\"layers\":[{\"mediaType\":\"application/vnd.ollama.image.model\",\"digest\":\"sha256:%s\",\"size\":%d}]}"
                        .formatted(digest, Files.size(file)));

        assertThat(run("import", "ollama:llama-guard3:1b")).as(err::toString).isZero();
        Path direct = folder.resolve("direct");
        assertThat(run("import", file.toString(), "--to", direct.toString())).isZero();

        Path guard = folder.resolve("models/guards/llama-guard3-1b");
        assertThat(guard.resolve("model.onnx")).hasSameBinaryContentAs(direct.resolve("model.onnx"));
        assertThat(GuardStore.open(guard).manifest().made().source())
                .containsOnlyKeys("1b", "sha256-" + digest)
                .containsEntry("sha256-" + digest, digest);
    }

    /** The same weights by two ways: a Hugging Face folder, and a GGUF file of 16 bits. */
    @Test
    void importWhenFp32JudgesAsTheOriginalDoes() throws Exception {
        Path imported = folder.resolve("imported");
        Path quantised = folder.resolve("quantised");
        assertThat(run(
                        "import",
                        GGUF.resolve("tiny-llama-guard-f16.gguf").toString(),
                        "--to",
                        imported.toString(),
                        "--precision",
                        "fp32"))
                .as(err::toString)
                .isZero();
        quantise(quantised);
        Conversation conversation = new Conversation(List.of(Turn.of(Role.USER, "How do I pick a lock?")));
        try (Guard ours = OnnxGuard.load(GuardStore.open(imported), Resources.oneLane(1));
                Guard theirs = OnnxGuard.load(GuardStore.open(quantised), Resources.oneLane(1))) {
            Scored found = (Scored) ours.assess(conversation);
            Scored wanted = (Scored) theirs.assess(conversation);
            assertThat(found.unsafe().value())
                    .isCloseTo(wanted.unsafe().value(), org.assertj.core.data.Offset.offset(2e-3));
        }
    }

    /** The folder as onnx-community lays it out: the model below it, and judged as the original is. */
    @Test
    void importWhenOnnxOfOthersMakesAGuardThatRunsItAsItIs() throws Exception {
        Path published = published("tokens");
        Path quantised = folder.resolve("quantised");
        quantise(quantised);

        assertThat(run(
                        "import",
                        published.toString(),
                        "--to",
                        folder.resolve("theirs").toString()))
                .as(err::toString)
                .isZero();

        GuardManifest manifest = GuardStore.open(folder.resolve("theirs")).manifest();
        GuardManifest ours = GuardStore.open(quantised).manifest();
        assertThat(manifest.model()).isEqualTo(new GuardManifest.Model(3, 2, 16, 672));
        assertThat(manifest.precision()).isEqualTo(Precision.FP32);
        assertThat(manifest.verdict().continuation()).isEqualTo(ours.verdict().continuation());
        assertThat(manifest.verdict().hazards().keySet())
                .isEqualTo(ours.verdict().hazards().keySet());
        assertThat(manifest.made().source())
                .containsEntry("model.onnx", GuardStore.digest(published.resolve("onnx/model.onnx")));
        for (NamedHazards named : NamedHazards.values()) {
            Scored found = assess(folder.resolve("theirs"), named);
            Scored wanted = assess(quantised, named);
            assertThat(found.unsafe().value()).isCloseTo(wanted.unsafe().value(), within(1e-4));
            found.hazards()
                    .forEach((hazard, probability) -> assertThat(probability.value())
                            .isCloseTo(wanted.hazards().get(hazard).value(), within(1e-4)));
        }
    }

    private static Scored assess(Path guard, NamedHazards named) {
        Conversation conversation = new Conversation(List.of(Turn.of(Role.USER, "How do I pick a lock?")));
        try (Guard loaded = OnnxGuard.load(GuardStore.open(guard).naming(named), Resources.oneLane(1))) {
            return (Scored) loaded.assess(conversation);
        }
    }

    private Path published(Object logits) throws IOException {
        Path tiny = FIXTURES.resolve("tiny-llama-guard");
        Path published = folder.resolve("Their-Guard-ONNX");
        Files.createDirectories(published.resolve("onnx"));
        Files.copy(tiny.resolve("config.json"), published.resolve("config.json"));
        Files.copy(tiny.resolve("tokenizer.json"), published.resolve("tokenizer.json"));
        OptimumModels.write(tiny, logits, published.resolve("onnx/model.onnx"));
        return published;
    }

    @Test
    void importWhenOnnxGivesTheLastLogitsOnlyLeavesNothingBehind() throws IOException {
        Path published = published(1L);

        assertThat(run("import", published.toString())).isEqualTo(1);
        assertThat(err.toString())
                .contains("onnx/model.onnx gives the logits of the last token only")
                .doesNotContain("unfinished", "\tat ");
        assertThat(folder.resolve("models/guards")).isEmptyDirectory();
    }

    @Test
    void importWhenOnnxFolderLacksSomethingNamesIt() throws IOException {
        Path published = published("tokens");
        assertThat(run("import", published.toString(), "--precision", "fp32")).isEqualTo(2);
        assertThat(err.toString()).contains("an ONNX model is run as it is");
        assertThat(run("import", published.toString(), "--family", "corral-starter"))
                .isEqualTo(1);
        assertThat(err.toString()).contains("cannot be a guard of family corral-starter");
        Files.copy(published.resolve("onnx/model.onnx"), published.resolve("onnx/model_q4.onnx"));
        assertThat(run("import", published.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("has several ONNX models: name one of them");
        String one = published.resolve("onnx/model_q4.onnx").toString();
        assertThat(run("import", one)).as(err::toString).isZero();
        assertThat(GuardStore.open(folder.resolve("models/guards/their-guard-onnx"))
                        .manifest()
                        .precision())
                .isEqualTo(Precision.INT4);
        Files.delete(published.resolve("tokenizer.json"));
        assertThat(run("import", one, "--to", folder.resolve("other").toString()))
                .isEqualTo(1);
        assertThat(err.toString()).contains("has no tokenizer.json, which a guard of");
        assertThat(run("import", FIXTURES.resolve("tiny-llama-guard").toString()))
                .isEqualTo(1);
        assertThat(err.toString()).contains("has no ONNX model, neither itself nor in a folder 'onnx'");
    }

    private static void quantise(Path quantised) throws IOException {
        new Converter("test")
                .convert(
                        FIXTURES.resolve("tiny-llama-guard"),
                        quantised,
                        GuardFamily.LLAMA_GUARD_3,
                        dev.corral.quantization.recipe.Recipe.of(Precision.FP32),
                        new Converter.Description(
                                "x", "none", "none", new dev.corral.policies.assessment.Probability(0.5)),
                        new Converter.Progress() {
                            @Override
                            public void total(long bytes) {}

                            @Override
                            public void written(long bytes) {}
                        });
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            config.json                             | 1 | config.json is neither a GGUF file nor an ExecuTorch program nor an ONNX model: its first bytes are none of theirs
            missing.gguf                            | 1 | there is no file
            ollama:nothing                          | 1 | has no model 'nothing': run 'ollama pull nothing'
            tiny-llama-guard-q4_0.gguf --precision int5 | 2 | --precision must be one of
            tiny-llama-guard-q4_0.gguf --block-size 32  | 2 | need --precision
            tiny-llama-guard-q4_0.gguf --family llama   | 2 | --family must be
            """)
    void importWhenNotPossibleSaysWhy(String arguments, int code, String message) {
        String[] words = arguments.trim().split(" +");
        if (!words[0].startsWith("ollama:")) {
            Path place = words[0].equals("config.json") ? FIXTURES.resolve("tiny-llama-guard") : GGUF;
            words[0] = place.resolve(words[0]).toString();
        }
        String[] all = new String[words.length + 1];
        all[0] = "import";
        System.arraycopy(words, 0, all, 1, words.length);

        assertThat(run(all)).isEqualTo(code);
        assertThat(err.toString()).contains(message).doesNotContain("\tat ");
    }

    @Test
    void importWhenTargetExistsRefuses() throws IOException {
        Path to = Files.createDirectory(folder.resolve("there"));

        assertThat(run("import", GGUF.resolve("tiny-llama-guard-q4_0.gguf").toString(), "--to", to.toString()))
                .isEqualTo(1);
        assertThat(err.toString()).contains("exists already: name a folder that does not with --to");
    }

    private int run(String... arguments) {
        Environment environment = new Environment(
                Map.of(
                        "CORRAL_MODELS",
                        folder.resolve("models").toString(),
                        "OLLAMA_MODELS",
                        folder.resolve("ollama").toString()),
                folder);
        return ModelCommand.commandLine(environment)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }
}
