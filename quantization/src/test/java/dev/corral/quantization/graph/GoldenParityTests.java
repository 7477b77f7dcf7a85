package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.Precision;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Projection;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Converted models against logits that the reference implementation computed, with and without cached prefixes. */
class GoldenParityTests {

    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
    private static final double FP32_TOLERANCE = 1e-4;

    @TempDir
    Path folder;

    record Model(String weights, String goldens) {}

    static Stream<Model> models() {
        return Stream.of(
                new Model("tiny-llama-guard", "tiny-llama-guard"),
                new Model("tiny-llama-guard-bf16", "tiny-llama-guard-bf16"),
                new Model("tiny-llama-sharded", "tiny-llama-guard"),
                new Model("tiny-llama-tied", "tiny-llama-tied"));
    }

    @ParameterizedTest
    @MethodSource("models")
    void convertWhenFp32GivesGoldenLogits(Model model) throws Exception {
        JsonNode goldens = goldens(model.goldens());
        try (Checkpoint expected = logits(model.goldens());
                OnnxCausalModel converted = convert(model.weights(), Recipe.of(Precision.FP32))) {
            double worst = 0;
            for (JsonNode golden : goldens.path("cases")) {
                worst = Math.max(worst, worstDifference(golden, goldens, expected, converted));
            }
            assertThat(worst).isLessThan(FP32_TOLERANCE);
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void convertWhenPrefixIsPinnedGivesGoldenLogits(Model model) throws Exception {
        JsonNode goldens = goldens(model.goldens());
        try (Checkpoint expected = logits(model.goldens())) {
            for (String prefix : List.of("all_guard", "user_default_categories")) {
                try (OnnxCausalModel converted = convert(model.weights(), Recipe.of(Precision.FP32))) {
                    converted.pin(ints(goldens.path("prefixes").path(prefix).path("input_ids")));
                    for (JsonNode golden : goldens.path("cases")) {
                        assertThat(worstDifference(golden, goldens, expected, converted))
                                .as("%s after %s", golden.path("id"), prefix)
                                .isLessThan(FP32_TOLERANCE);
                    }
                }
            }
        }
    }

    /** A recipe, and how alike its logits and the reference's are at least. */
    record Quantised(Recipe recipe, double likeness) {}

    static Stream<Quantised> recipes() {
        Format int8 = new Format.Int8(Format.Activations.INT8);
        Format int4 = new Format.Int4(32, Format.Scales.RANGE, false);
        Recipe.Deviation ends =
                new Recipe.Deviation(List.of(0, -1), Set.of(), new Format.Int8(Format.Activations.INT16));
        Recipe.Deviation downs = new Recipe.Deviation(
                List.of(), Set.of(Projection.DOWN), new Format.Int4(16, Format.Scales.LEAST_SQUARES, true));
        return Stream.concat(
                Format.Int4.BLOCK_SIZES.stream()
                        .map(size -> new Quantised(
                                recipe(new Format.Int4(size, Format.Scales.LEAST_SQUARES, false), int4), 0.7)),
                Stream.of(
                        new Quantised(Recipe.of(Precision.FP16), 0.999),
                        new Quantised(Recipe.of(Precision.INT8), 0.99),
                        new Quantised(recipe(int8, new Format.Fp16()), 0.99),
                        new Quantised(Recipe.of(Precision.INT4), 0.8),
                        new Quantised(recipe(int4, int8, ends), 0.8),
                        new Quantised(recipe(int8, int4, ends, downs), 0.8),
                        new Quantised(recipe(new Format.Int4(32, Format.Scales.RANGE, true), int8), 0.8)));
    }

    private static Recipe recipe(Format matrices, Format embedding, Recipe.Deviation... deviations) {
        return new Recipe(matrices, List.of(deviations), embedding, Optional.empty(), Optional.empty(), 4096);
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void convertWhenQuantisedStaysNearAndIgnoresTheCache(Quantised quantised) throws Exception {
        JsonNode goldens = goldens("tiny-llama-guard");
        Recipe recipe = quantised.recipe();
        try (Checkpoint expected = logits("tiny-llama-guard");
                OnnxCausalModel cold = convert("tiny-llama-guard", recipe);
                OnnxCausalModel warm = convert("tiny-llama-guard", recipe)) {
            warm.pin(ints(
                    goldens.path("prefixes").path("user_default_categories").path("input_ids")));
            for (JsonNode golden : goldens.path("cases")) {
                int[] tokens = tokens(golden, goldens);
                int[] rows = IntStream.range(tokens.length - 4, tokens.length).toArray();
                float[][] fresh = cold.logits(tokens, rows);
                float[][] cached = warm.logits(tokens, rows);
                assertThat(unsafe(cached[0], goldens))
                        .as("P(unsafe) of %s", golden.path("id"))
                        .isCloseTo(unsafe(fresh[0], goldens), org.assertj.core.data.Offset.offset(1e-3));
                assertThat(correlation(fresh[0], row(expected, golden, 0)))
                        .as("%s", golden.path("id"))
                        .isGreaterThan(quantised.likeness());
            }
        }
    }

    /** P(unsafe) after the first forced token, as a guard reads it. */
    private static double unsafe(float[] logits, JsonNode goldens) {
        JsonNode ids = goldens.path("label_tokens");
        float difference =
                logits[ids.path("safe").asInt()] - logits[ids.path("unsafe").asInt()];
        return 1 / (1 + Math.exp(difference));
    }

    private OnnxCausalModel convert(String weights, Recipe recipe) throws IOException {
        Path directory = FIXTURES.resolve(weights);
        Path file = Files.createTempFile(folder, weights, ".onnx");
        LlamaConfig config = LlamaConfig.read(directory);
        try (Checkpoint checkpoint = SafetensorsCheckpoint.open(directory)) {
            Matrix head = Matrix.of(checkpoint.require(config.tied() ? "model.embed_tokens.weight" : "lm_head.weight"));
            new OnnxWriter("test").write(LlamaGraph.build(config, checkpoint, recipe, head), file, written -> {});
        }
        return OnnxCausalModel.load(
                file,
                new ModelShape(config.layers(), config.kvHeads(), config.headSize(), config.vocabulary(), 4096),
                Resources.oneLane(2));
    }

    /** Forced rows, and the prompt's last rows, of one case. */
    private static double worstDifference(
            JsonNode golden, JsonNode goldens, Checkpoint expected, OnnxCausalModel converted) throws Exception {
        int[] tokens = tokens(golden, goldens);
        List<Integer> rows = new ArrayList<>();
        golden.path("logits_last_positions").forEach(position -> rows.add(position.asInt()));
        golden.path("logits_forced_positions").forEach(position -> rows.add(position.asInt()));
        float[][] actual =
                converted.logits(tokens, rows.stream().mapToInt(row -> row).toArray());
        int last = golden.path("logits_last_positions").size();
        double worst = 0;
        for (int row = 0; row < actual.length; row++) {
            String name = golden.path("id").asString() + (row < last ? ".logits_last" : ".logits_forced");
            float[] wanted = new float[actual[row].length];
            expected.require(name).row(row < last ? row : row - last, wanted);
            for (int i = 0; i < wanted.length; i++) {
                worst = Math.max(worst, Math.abs(wanted[i] - actual[row][i]));
            }
        }
        return worst;
    }

    private static float[] row(Checkpoint expected, JsonNode golden, int row) {
        Tensor tensor = expected.require(golden.path("id").asString() + ".logits_forced");
        float[] values = new float[tensor.columns()];
        tensor.row(row, values);
        return values;
    }

    private static int[] tokens(JsonNode golden, JsonNode goldens) {
        return IntStream.concat(
                        IntStream.of(ints(golden.path("input_ids"))),
                        IntStream.of(ints(goldens.path("forced_continuation").path("ids"))))
                .toArray();
    }

    private static int[] ints(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::asInt).toArray();
    }

    private static JsonNode goldens(String model) throws IOException {
        return JsonMapper.shared()
                .readTree(Files.readAllBytes(
                        FIXTURES.resolve(model).resolve("golden").resolve("cases.json")));
    }

    private Checkpoint logits(String model) throws IOException {
        Path directory = Files.createTempDirectory(folder, "goldens");
        Files.copy(
                FIXTURES.resolve(model).resolve("golden").resolve("logits.safetensors"),
                directory.resolve("model.safetensors"));
        return SafetensorsCheckpoint.open(directory);
    }

    private static double correlation(float[] a, float[] b) {
        double meanA =
                IntStream.range(0, a.length).mapToDouble(i -> a[i]).average().orElseThrow();
        double meanB =
                IntStream.range(0, b.length).mapToDouble(i -> b[i]).average().orElseThrow();
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            ab += (a[i] - meanA) * (b[i] - meanB);
            aa += (a[i] - meanA) * (a[i] - meanA);
            bb += (b[i] - meanB) * (b[i] - meanB);
        }
        return ab / Math.sqrt(aa * bb);
    }
}
