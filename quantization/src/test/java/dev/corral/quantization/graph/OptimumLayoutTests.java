package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.CausalModel;
import dev.corral.guardmodels.onnx.ModelException;
import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.Precision;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Guards that others made ONNX models of, in the layout of Optimum and onnx-community. */
class OptimumLayoutTests {

    private static final Path TINY = Path.of("src/test/resources/fixtures/tiny-llama-guard");
    private static final ModelShape SHAPE = new ModelShape(3, 2, 16, 672, 4096);
    private static final Offset<Float> NEAR = Offset.offset(1e-4f);

    @TempDir
    Path folder;

    private Path ours;
    private Path theirs;

    @BeforeEach
    void write() throws IOException {
        ours = folder.resolve("ours.onnx");
        theirs = Files.createDirectory(folder.resolve("guard")).resolve("model.onnx");
        try (Checkpoint weights = SafetensorsCheckpoint.open(TINY)) {
            OnnxGraph graph = LlamaGraph.build(
                    LlamaConfig.read(TINY),
                    weights,
                    Recipe.of(Precision.FP32),
                    Matrix.of(weights.require("lm_head.weight")));
            new OnnxWriter("test").write(graph, ours, _ -> {});
            new OnnxWriter("test").write(OptimumModels.of(graph, "tokens"), theirs, _ -> {});
        }
    }

    private static int[] tokens(int count) {
        return new Random(count).ints(count, 0, 600).toArray();
    }

    @Test
    void logitsWhenReadInStepsAreThoseOfOurOwnGraph() throws InterruptedException {
        try (OnnxCausalModel reference = OnnxCausalModel.load(ours, SHAPE, Resources.oneLane(1));
                CausalModel model = OnnxCausalModel.loadAny(theirs, SHAPE, Resources.oneLane(1))) {
            for (int count : new int[] {1, 7, 256, 257, 700}) {
                int[] tokens = tokens(count);
                int[] rows = count == 1 ? new int[] {0} : new int[] {count / 3, count - 1};
                assertNear(model.logits(tokens, rows), reference.logits(tokens, rows));
            }
        }
    }

    @Test
    void logitsWhenBeginningIsPinnedAreTheSame() throws InterruptedException {
        try (CausalModel cold = OnnxCausalModel.loadAny(theirs, SHAPE, Resources.oneLane(1));
                CausalModel warm = OnnxCausalModel.loadAny(theirs, SHAPE, Resources.oneLane(1))) {
            int[] tokens = tokens(400);
            warm.pin(java.util.Arrays.copyOf(tokens, 300));
            int[] rows = {310, 399};
            assertNear(warm.logits(tokens, rows), cold.logits(tokens, rows));
            int[] earlier = {100, 399};
            assertNear(warm.logits(tokens, earlier), cold.logits(tokens, earlier));
            assertNear(warm.logits(tokens, rows), cold.logits(tokens, rows));
        }
    }

    private static void assertNear(float[][] found, float[][] wanted) {
        assertThat(found).hasDimensions(wanted.length, wanted[0].length);
        for (int row = 0; row < wanted.length; row++) {
            assertThat(found[row]).usingComparatorWithPrecision(NEAR.value).containsExactly(wanted[row]);
        }
    }

    @Test
    void assessWhenAProfileIsGivenJudgesAsOurOwnGuardDoes() throws Exception {
        Files.copy(TINY.resolve("tokenizer.json"), folder.resolve("guard/tokenizer.json"));
        Files.writeString(folder.resolve("guard/guard.yaml"), """
                format: 1
                id: theirs
                family: llama-guard-3
                precision: fp32
                licence: none
                quality: none
                recommended-threshold: 0.5
                context: {tokens: 4096, overlap: 512}
                model: {layers: 3, kv-heads: 2, head-size: 16, head-rows: 672}
                verdict:
                  lead: [257]
                  continuation: [262, 198, 50]
                  safe: %d
                  unsafe: 262
                  hazards: {S1: 16, S2: 17, S3: 18}
                made: {tool: optimum, recipe: fp32, source: {}}
                """.formatted(safe()));
        GuardStore.seal(folder.resolve("guard"));
        Conversation conversation = new Conversation(List.of(Turn.of(Role.USER, "How do I pick a lock?")));

        try (Guard guard = OnnxGuard.load(GuardStore.open(folder.resolve("guard")), Resources.oneLane(1))) {
            Scored scored = (Scored) guard.assess(conversation);
            assertThat(scored.unsafe().value()).isBetween(0.001, 0.999);
            assertThat(scored.hazards().values().stream()
                            .mapToDouble(probability -> probability.value())
                            .sum())
                    .isCloseTo(scored.unsafe().value(), Offset.offset(1e-6));
        }
    }

    private static int safe() throws IOException {
        return tools.jackson.databind.json.JsonMapper.shared()
                .readTree(Files.readAllBytes(TINY.resolve("golden/cases.json")))
                .path("label_tokens")
                .path("safe")
                .asInt();
    }

    @Test
    void loadWhenLogitsAreOfTheLastTokenOnlySaysWhatToDo() throws IOException {
        try (Checkpoint weights = SafetensorsCheckpoint.open(TINY)) {
            OnnxGraph graph = LlamaGraph.build(
                    LlamaConfig.read(TINY),
                    weights,
                    Recipe.of(Precision.FP32),
                    Matrix.of(weights.require("lm_head.weight")));
            new OnnxWriter("test").write(OptimumModels.of(graph, 1L), theirs, _ -> {});
        }

        assertThatExceptionOfType(ModelException.class)
                .isThrownBy(() -> OnnxCausalModel.loadAny(theirs, SHAPE, Resources.oneLane(1)))
                .withMessageContaining("gives the logits of the last token only, but a verdict is read at several");
    }

    @Test
    void loadWhenProfileIsWrongSaysWhat() {
        assertThatExceptionOfType(ModelException.class)
                .isThrownBy(() ->
                        OnnxCausalModel.loadAny(theirs, new ModelShape(4, 2, 16, 672, 4096), Resources.oneLane(1)))
                .withMessageContaining("has 3 layers, but guard.yaml says 4; correct it");
        assertThatExceptionOfType(ModelException.class)
                .isThrownBy(
                        () -> OnnxCausalModel.loadAny(theirs, new ModelShape(3, 2, 16, 20, 4096), Resources.oneLane(1)))
                .withMessageContaining("has 672 outputs, but guard.yaml says 20; correct it");
    }
}
