package dev.corral.quantization;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.ModelSource;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.gguf.GgufModel;
import dev.corral.quantization.graph.GuardGraph;
import dev.corral.quantization.graph.Matrix;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExportCommandTests {

    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
    private static final Path TINY = FIXTURES.resolve("tiny-llama-guard");
    private static final Path GGUF = FIXTURES.resolve("tiny-gguf");

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    /** Whatever a guard's weights are kept as, what was exported judges as the guard itself. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            gguf        | --precision fp32                                        | 1e-4
            gguf        | --precision fp16                                        | 1e-4
            gguf        | --precision int4 --activations fp32 --embedding fp32    | 1e-4
            gguf        | --precision int4 --block-size 64 --activations fp32 --embedding fp16 | 1e-4
            gguf        | --precision int4 --block-size 16 --activations fp32 --embedding fp32 | 1e-4
            safetensors | --precision fp32                                        | 1e-4
            safetensors | --precision fp16                                        | 1e-4
            safetensors | --precision int4 --activations fp32 --embedding fp32    | 1e-4
            """)
    void exportWhenReadBackGivesTheSameLogits(String format, String recipe, float tolerance) throws Exception {
        Path guard = folder.resolve("guard");
        quantize(TINY, guard, recipe);
        Path exported = folder.resolve("exported.gguf");

        assertThat(run("export", "--to", format, guard.toString(), exported.toString()))
                .as(err::toString)
                .isZero();

        Path again = readBack(format, exported);
        assertNear(logits(again), logits(guard), tolerance);
    }

    /** However a weight is kept, what is exported is what it means, to the last bit. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "--precision int8",
                "--precision int8 --embedding int4",
                "--precision int4 --embedding int8",
                "--precision int4 --block-size 128 --scales least-squares --embedding fp16"
            })
    void exportWhenGgufHasTheVeryWeights(String recipe) {
        Path guard = folder.resolve("guard");
        quantize(TINY, guard, recipe);
        Path exported = folder.resolve("exported.gguf");
        assertThat(run("export", "--to", "gguf", guard.toString(), exported.toString()))
                .as(err::toString)
                .isZero();

        try (GuardGraph graph = GuardGraph.open(GuardStore.open(guard).model());
                Checkpoint read = GgufModel.open(exported).weights()) {
            assertThat(read.names()).hasSize(graph.names().size() + 1).containsAll(graph.names());
            for (String name : graph.names()) {
                assertEqualRows(read.require(name), graph.require(name));
            }
        }
    }

    /** Numbers that came from a GGUF file go back into one, bit for bit. */
    @ParameterizedTest
    @CsvSource({"q4_0", "q8_0"})
    void exportWhenImportedBeforeGivesTheSameNumbers(String type) throws Exception {
        Path guard = folder.resolve("guard");
        assertThat(run(
                        "import",
                        GGUF.resolve("tiny-llama-guard-" + type + ".gguf").toString(),
                        "--to",
                        guard.toString()))
                .as(err::toString)
                .isZero();
        Path exported = folder.resolve("exported.gguf");
        assertThat(run("export", "--to", "gguf", guard.toString(), exported.toString()))
                .as(err::toString)
                .isZero();

        try (Checkpoint wanted = GgufModel.open(GGUF.resolve("tiny-llama-guard-" + type + ".gguf"))
                        .weights();
                Checkpoint found = GgufModel.open(exported).weights()) {
            assertThat(found.names()).containsExactlyInAnyOrderElementsOf(wanted.names());
            for (String name : wanted.names()) {
                if (!name.equals("lm_head.weight")) {
                    assertThat(found.require(name).storage())
                            .isEqualTo(wanted.require(name).storage());
                    assertEqualRows(found.require(name), wanted.require(name));
                }
            }
        }
    }

    private static void assertEqualRows(Tensor found, Tensor wanted) {
        float[] wantedRow = new float[wanted.columns()];
        float[] foundRow = new float[wanted.columns()];
        for (int row = 0; row < wanted.rows(); row++) {
            wanted.row(row, wantedRow);
            found.row(row, foundRow);
            assertThat(foundRow).as("%s, row %d", wanted.name(), row).isEqualTo(wantedRow);
        }
    }

    @ParameterizedTest
    @CsvSource({"gguf, q8_0, 0.3", "gguf, f16, 0.05", "safetensors, bf16, 0.3", "safetensors, f16, 0.05"})
    void exportWhenRestIsSmallerIsNear(String format, String rest, float tolerance) throws Exception {
        Path guard = folder.resolve("guard");
        quantize(TINY, guard, "--precision fp32");
        Path exported = folder.resolve("exported.gguf");
        assertThat(run("export", "--to", format, "--rest", rest, guard.toString(), exported.toString()))
                .as(err::toString)
                .isZero();

        assertNear(logits(readBack(format, exported)), logits(guard), tolerance);
    }

    /** Which tokens the head's rows are of stands in guard.yaml: the file of hazards is not asked for again. */
    @ParameterizedTest
    @ValueSource(strings = {"gguf", "safetensors"})
    void exportWhenGuardAnswersWithOtherWordsKeepsThem(String format) throws Exception {
        Path hazards = Files.writeString(folder.resolve("hazards.yaml"), """
                name: acme
                hazards:
                  - { code: C1, name: Trade Secrets }
                  - { code: C2, name: Bad Manners }
                answer: { safe: "8", unsafe: "9" }
                """);
        Path guard = folder.resolve("guard");
        quantize(TINY, guard, "--precision fp32 --hazards " + hazards);
        Path exported = folder.resolve("exported.gguf");
        assertThat(run("export", "--to", format, guard.toString(), exported.toString()))
                .as(err::toString)
                .isZero();

        Path again = readBack(format, exported, "--hazards", hazards.toString());
        assertThat(GuardStore.open(again).manifest().verdict())
                .isEqualTo(GuardStore.open(guard).manifest().verdict());
        assertNear(logits(again), logits(guard), 1e-4f);
        assertThat(ModelCard.of(GuardStore.open(guard)).generator()).contains("it answers `8`, or `9`");
    }

    @Test
    void exportWhenGuardDoesNotTellItsTokensSaysSo() throws Exception {
        Path guard = folder.resolve("guard");
        quantize(TINY, guard, "--precision fp32");
        Path manifest = guard.resolve("guard.yaml");
        String told = Files.readString(manifest);
        Files.writeString(manifest, told.replaceFirst("\n  tokens: \\[[^]]*]", ""));
        GuardStore.seal(guard);

        assertThat(run(
                        "export",
                        "--to",
                        "gguf",
                        guard.toString(),
                        folder.resolve("x").toString()))
                .isEqualTo(1);
        assertThat(err.toString()).contains("'verdict.tokens' of guard.yaml): make it again");
    }

    @Test
    void exportWhenPrunedNumbersItsLayersAnew() throws Exception {
        Path calibration = Files.writeString(folder.resolve("calibration.jsonl"), """
                {"text": "How do I bake bread?"}
                {"text": "Hello"}
                """);
        Path guard = folder.resolve("guard");
        quantize(TINY, guard, "--precision fp32 --keep-layers 2 --keep-mlp 96 --calibration " + calibration);
        Path exported = folder.resolve("exported.gguf");
        assertThat(run("export", "--to", "gguf", guard.toString(), exported.toString()))
                .as(err::toString)
                .isZero();

        Path again = readBack("gguf", exported);
        assertThat(GuardStore.open(again).manifest().model().layers()).isEqualTo(2);
        assertNear(logits(again), logits(guard), 1e-4f);
    }

    @Test
    @Tag("slow")
    void exportWhenStarterIsAClassifierThatReadsBackEqual() throws Exception {
        Path exported = folder.resolve("starter");
        assertThat(run("export", "--to", "safetensors", "corral-starter", exported.toString()))
                .as(err::toString)
                .isZero();
        assertThat(exported.resolve("config.json"))
                .content()
                .contains("LlamaForSequenceClassification", "\"14\" : \"S13\"");
        Path again = folder.resolve("again");
        quantize(exported, again, "--precision int8 --context 1024");

        GuardManifest manifest = GuardStore.open(again).manifest();
        assertThat(manifest.family()).isEqualTo(GuardFamily.CORRAL_STARTER);
        assertThat(manifest.verdict()).isEqualTo(GuardStore.starter().manifest().verdict());
    }

    /** The head comes back, the weights with it, and so the verdicts. */
    @Test
    @Tag("slow")
    void exportWhenStarterAsGgufReadsBackEqual() throws Exception {
        Path exported = folder.resolve("starter.gguf");
        assertThat(run("export", "--to", "gguf", "corral-starter", exported.toString()))
                .as(err::toString)
                .isZero();
        Path again = folder.resolve("again");
        assertThat(run("import", exported.toString(), "--to", again.toString(), "--precision", "fp32"))
                .as(err::toString)
                .isZero();

        GuardManifest starter = GuardStore.starter().manifest();
        GuardManifest manifest = GuardStore.open(again).manifest();
        assertThat(manifest.family()).isEqualTo(GuardFamily.CORRAL_STARTER);
        assertThat(manifest.verdict()).isEqualTo(starter.verdict());
        assertThat(manifest.licence()).isEqualTo(starter.licence());
        try (GuardGraph ours = GuardGraph.open(GuardStore.starter().model());
                GuardGraph theirs = GuardGraph.open(GuardStore.open(again).model())) {
            assertEqualRows(theirs.head(), ours.head());
            for (String name : ours.names()) {
                if (!name.equals("model.embed_tokens.weight")) {
                    assertEqualRows(theirs.require(name), ours.require(name));
                }
            }
        }
    }

    private static void assertEqualRows(Matrix found, Matrix wanted) {
        float[] wantedRow = new float[wanted.columns()];
        float[] foundRow = new float[found.columns()];
        assertThat(found.rows()).isEqualTo(wanted.rows());
        for (int row = 0; row < wanted.rows(); row++) {
            wanted.row(row, wantedRow);
            found.row(row, foundRow);
            assertThat(foundRow).as("row %d", row).isEqualTo(wantedRow);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            export --to onnx corral-starter x             | 2 | --to must be gguf or safetensors: 'onnx'
            export --to gguf --rest bf16 corral-starter x | 2 | --rest must be one of f32, f16, q8_0 for gguf: 'bf16'
            export --to safetensors --rest q8_0 corral-starter x | 2 | --rest must be one of f32, f16, bf16 for safetensors: 'q8_0'
            export --to gguf corral-starter .             | 2 | . exists already
            export --to gguf nothing x.gguf               | 1 | nothing is not a directory
            """)
    void exportWhenNotPossibleSaysWhy(String arguments, int code, String message) {
        assertThat(run(arguments.trim().split(" +"))).isEqualTo(code);
        assertThat(err.toString()).contains(message).doesNotContain("\tat ");
    }

    @Test
    void exportWhenGuardSeesImagesSaysWhyNot() {
        Path guard = folder.resolve("guard");
        quantize(Path.of("src/test/resources/fixtures/tiny-mllama-guard"), guard, "--precision fp32");

        assertThat(run(
                        "export",
                        "--to",
                        "gguf",
                        guard.toString(),
                        folder.resolve("out.gguf").toString()))
                .isEqualTo(1);
        assertThat(err.toString())
                .contains("sees images, and only guards for text are exported")
                .doesNotContain("\tat ");
        assertThat(folder.resolve("out.gguf")).doesNotExist();
    }

    private Path readBack(String format, Path exported, String... options) {
        Path again = folder.resolve("again");
        String recipe = String.join(
                " ",
                Stream.concat(Stream.of("--precision fp32"), Stream.of(options)).toList());
        if (format.equals("gguf")) {
            assertThat(run(("import " + exported + " --to " + again + " " + recipe).split(" +")))
                    .as(err::toString)
                    .isZero();
        } else {
            quantize(exported, again, recipe);
        }
        return again;
    }

    private void quantize(Path from, Path to, String recipe) {
        List<String> arguments = new ArrayList<>(List.of("--from", from.toString(), "--to", to.toString()));
        arguments.addAll(Arrays.asList(recipe.split(" +")));
        assertThat(new picocli.CommandLine(new QuantizeCommand())
                        .setOut(new PrintWriter(out, true))
                        .setErr(new PrintWriter(err, true))
                        .execute(arguments.toArray(String[]::new)))
                .as(err::toString)
                .isZero();
    }

    private static float[][] logits(Path guard) throws InterruptedException {
        GuardDirectory directory = GuardStore.open(guard);
        ModelShape shape = directory.manifest().shape();
        int[] tokens = new Random(1).ints(200, 0, 600).toArray();
        try (OnnxCausalModel model =
                OnnxCausalModel.load(((ModelSource.InFile) directory.model()).file(), shape, Resources.oneLane(1))) {
            return model.logits(tokens, new int[] {3, 100, 199});
        }
    }

    private static void assertNear(float[][] found, float[][] wanted, float tolerance) {
        for (int row = 0; row < wanted.length; row++) {
            for (int i = 0; i < wanted[row].length; i++) {
                assertThat(found[row][i]).isCloseTo(wanted[row][i], Offset.offset(tolerance));
            }
        }
    }

    private int run(String... arguments) {
        Environment environment =
                new Environment(Map.of("CORRAL_MODELS", folder.resolve("models").toString()), folder);
        return ModelCommand.commandLine(environment)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }
}
