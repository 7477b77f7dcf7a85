package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.image.PreprocessedImage;
import dev.corral.guardmodels.image.Tiling;
import dev.corral.guardmodels.onnx.Decoder;
import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxVisionModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.onnx.VisionModel;
import dev.corral.guardmodels.onnx.VisionShape;
import dev.corral.guardmodels.store.Precision;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Converted models with eyes against logits that the reference implementation computed, image by image. */
class VisionParityTests {

    private static final Path MODEL = Path.of("src/test/resources/fixtures/tiny-mllama-guard");
    private static final double FP32_TOLERANCE = 1e-4;
    private static final long AMPLE = 64 << 20;

    @TempDir
    Path folder;

    @Test
    void convertWhenFp32GivesGoldenLogitsOfEveryRun() throws Exception {
        JsonNode runs = cases().path("runs");
        assertThat(runs).hasSizeGreaterThan(24);
        try (OnnxVisionModel model = convert(Recipe.of(Precision.FP32), AMPLE)) {
            for (JsonNode run : runs) {
                assertThat(worstDifference(run, model))
                        .as(run.path("id").asString())
                        .isLessThan(FP32_TOLERANCE);
            }
            assertThat(model.encodedImages())
                    .as("images that are seen alike are looked at once")
                    .isEqualTo(runs.valueStream()
                            .map(run -> run.path("image").asString(""))
                            .filter(image -> !image.isEmpty())
                            .distinct()
                            .count());
        }
    }

    @Test
    void logitsWhenImageWasForgottenAreTheSameAndItIsLookedAtAgain() throws Exception {
        JsonNode run = run("odd_webp.a");
        try (OnnxVisionModel model = convert(Recipe.of(Precision.FP32), 0)) {
            float[][] first = forced(run, model);
            assertThat(forced(run, model)).isDeepEqualTo(first);
            assertThat(model.encodedImages()).isEqualTo(2);
        }
    }

    static Stream<Recipe> recipes() {
        Format int4 = new Format.Int4(32, Format.Scales.LEAST_SQUARES, false);
        Recipe four = new Recipe(int4, List.of(), int4, Optional.empty(), Optional.empty(), 4096);
        return Stream.of(
                Recipe.of(Precision.FP16), Recipe.of(Precision.INT8), Recipe.of(Precision.INT4), four.withVision(four));
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void convertWhenQuantisedStaysNearAndIgnoresTheCache(Recipe recipe) throws Exception {
        double likeness = recipe.precision() == Precision.INT4 ? 0.7 : 0.98;
        try (OnnxVisionModel cold = convert(recipe, AMPLE);
                OnnxVisionModel warm = convert(recipe, AMPLE)) {
            forced(run("wide.a"), warm);
            forced(run("big.a"), warm);
            for (String id : List.of("wide.a", "big.a")) {
                JsonNode run = run(id);
                long before = warm.readTokens();
                float[][] cached = forced(run, warm);
                assertThat(warm.readTokens() - before).isLessThan(tokens(run).length / 4);
                float[][] fresh = forced(run, cold);
                assertThat(cached).as(id).isDeepEqualTo(fresh);
                assertThat(correlation(fresh[0], row(run, "forced", 0))).as(id).isGreaterThan(likeness);
            }
            assertThat(warm.encodedImages()).isEqualTo(2);
        }
    }

    private OnnxVisionModel convert(Recipe recipe, long remembered) throws IOException {
        MllamaConfig config = MllamaConfig.read(MODEL);
        Path decoder = Files.createTempFile(folder, "decoder", ".onnx");
        Path encoder = Files.createTempFile(folder, "encoder", ".onnx");
        try (Checkpoint weights = SafetensorsCheckpoint.open(MODEL)) {
            Matrix head = Matrix.of(weights.require("language_model.lm_head.weight"));
            new OnnxWriter("test").write(LlamaGraph.build(config, weights, recipe, head), decoder, _ -> {});
            new OnnxWriter("test").write(VisionGraph.build(config, weights, recipe.ofVision()), encoder, _ -> {});
        }
        LlamaConfig text = config.text();
        return OnnxVisionModel.load(
                encoder,
                decoder,
                new ModelShape(config.selfLayers(), text.kvHeads(), text.headSize(), config.headRows(), 4096),
                new VisionShape(56, 4, 17, 2, config.imageToken()),
                new Resources(1, 2, AMPLE),
                remembered);
    }

    private double worstDifference(JsonNode run, OnnxVisionModel model) throws Exception {
        int[] tokens = tokens(run);
        int last = tokens.length - 5;
        int[] rows = IntStream.rangeClosed(last - 3, last + 4).toArray();
        float[][] found = logits(run, model, tokens, rows);
        double worst = 0;
        for (int row = 0; row < found.length; row++) {
            float[] expected = row < 4 ? row(run, "last", row) : row(run, "forced", row - 4);
            for (int i = 0; i < expected.length; i++) {
                worst = Math.max(worst, Math.abs(expected[i] - found[row][i]));
            }
        }
        return worst;
    }

    private float[][] forced(JsonNode run, OnnxVisionModel model) throws Exception {
        int[] tokens = tokens(run);
        return logits(
                run,
                model,
                tokens,
                IntStream.range(tokens.length - 4, tokens.length).toArray());
    }

    private float[][] logits(JsonNode run, OnnxVisionModel model, int[] tokens, int[] rows) throws Exception {
        String image = run.path("image").asString("");
        if (image.isEmpty()) {
            Decoder blind = model.blind();
            return blind.logits(tokens, rows);
        }
        try (VisionModel.Sighted decoder = model.seeing(image(image))) {
            return decoder.logits(tokens, rows);
        }
    }

    private PreprocessedImage image(String id) throws IOException {
        JsonNode image = cases().path("images")
                .valueStream()
                .filter(candidate -> candidate.path("id").asString().equals(id))
                .findFirst()
                .orElseThrow();
        try (Checkpoint pixels = goldens("preprocess")) {
            Tensor tensor = pixels.require(id + ".pixel_values");
            float[] values = new float[tensor.rows() * tensor.columns()];
            float[] row = new float[tensor.columns()];
            for (int r = 0; r < tensor.rows(); r++) {
                tensor.row(r, row);
                System.arraycopy(row, 0, values, r * row.length, row.length);
            }
            Tiling tiling = new Tiling(
                    image.path("tiles").get(0).asInt(),
                    image.path("tiles").get(1).asInt(),
                    image.path("resized").get(0).asInt(),
                    image.path("resized").get(1).asInt(),
                    image.path("aspect_ratio_id").asInt(),
                    4);
            return new PreprocessedImage(values, tiling, id);
        }
    }

    private static int[] tokens(JsonNode run) throws IOException {
        JsonNode cases = cases();
        JsonNode conversation =
                cases.path("conversations").path(run.path("conversation").asString());
        return IntStream.concat(
                        ints(conversation.path("input_ids")),
                        ints(cases.path("forced_continuation").path("ids")))
                .toArray();
    }

    private float[] row(JsonNode run, String which, int row) throws IOException {
        try (Checkpoint expected = goldens("logits")) {
            Tensor tensor = expected.require(run.path("id").asString() + ".logits_" + which);
            float[] values = new float[tensor.columns()];
            tensor.row(row, values);
            return values;
        }
    }

    private static JsonNode run(String id) throws IOException {
        return cases().path("runs")
                .valueStream()
                .filter(run -> run.path("id").asString().equals(id))
                .findFirst()
                .orElseThrow();
    }

    private static IntStream ints(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::asInt);
    }

    private static JsonNode cases() throws IOException {
        return JsonMapper.shared().readTree(Files.readAllBytes(MODEL.resolve("golden/cases.json")));
    }

    private Checkpoint goldens(String name) throws IOException {
        Path directory = folder.resolve(name);
        if (!Files.exists(directory)) {
            Files.createDirectory(directory);
            Files.copy(MODEL.resolve("golden").resolve(name + ".safetensors"), directory.resolve("model.safetensors"));
        }
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
