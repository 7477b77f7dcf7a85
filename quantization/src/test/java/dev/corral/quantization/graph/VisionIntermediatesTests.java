package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.onnx.OnnxProbe;
import dev.corral.guardmodels.onnx.OnnxProbe.Input;
import dev.corral.guardmodels.store.Precision;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Both graphs of a model with eyes, stage by stage, against what the reference implementation computed. */
class VisionIntermediatesTests {

    private static final Path MODEL = Path.of("src/test/resources/fixtures/tiny-mllama-guard");
    private static final double TOLERANCE = 1e-4;
    private static final int TILE_TOKENS = 17;
    private static final int TILE_WITH_PADDING = 24;
    private static final int TILES = 4;
    private static final int HIDDEN = 32;
    private static final int IMAGE_AT = 5;

    @TempDir
    Path folder;

    private Checkpoint weights;
    private Checkpoint stages;
    private MllamaConfig config;

    @BeforeEach
    void open() throws IOException {
        weights = SafetensorsCheckpoint.open(MODEL);
        stages = goldens("intermediate");
        config = MllamaConfig.read(MODEL);
    }

    @AfterEach
    void close() {
        weights.close();
        stages.close();
    }

    @Test
    void encodeWhenTilesArePaddingGivesEveryGoldenStage() throws IOException {
        Map<String, String> alike = new LinkedHashMap<>();
        alike.put("patches", "vision.patch_embedding");
        alike.put("pre_tiles", "vision.pre_tile_positional_embedding");
        alike.put("tile_positioned", "vision.gated_positional_embedding");
        alike.put("pre.norm", "vision.layernorm_pre");
        alike.put("projector.product.biased", "projector");
        Map<String, String> padded = new LinkedHashMap<>();
        for (int layer = 0; layer < 4; layer++) {
            padded.put("layer." + layer, "vision.transformer.layer" + layer);
        }
        padded.put("post.norm", "vision.layernorm_post");
        padded.put("post_tiles", "vision.post_tile_positional_embedding");
        padded.put("layer.4", "vision.global_transformer.layer0");
        padded.put("layer.5", "vision.global_transformer.layer1");
        Set<String> wanted = new TreeSet<>(alike.keySet());
        wanted.addAll(padded.keySet());
        wanted.add("output");
        Map<String, float[]> found = encode(tensor(stages, "in.pixel_values"), 6, 4, wanted);
        alike.forEach((value, golden) -> assertNear(golden, found.get(value), i -> i));
        padded.forEach((value, golden) -> assertNear(golden, found.get(value), VisionIntermediatesTests::inReference));
        List<Integer> columns = VisionGraph.columns(HIDDEN, 2);
        int width = columns.size();
        assertNear("vision.output", found.get("output"), i -> i / width * width + columns.get(i % width));
    }

    @Test
    void encodeWhenAnyGoldenImageGivesItsCrossAttentionStates() throws IOException {
        try (Checkpoint pixels = goldens("preprocess");
                Checkpoint expected = goldens("vision")) {
            JsonNode images = cases().path("images");
            assertThat(images).hasSizeGreaterThan(20);
            for (JsonNode image : images) {
                String id = image.path("id").asString();
                float[] present = tensor(pixels, id + ".pixel_values");
                float[] all = new float[TILES * 3 * 56 * 56];
                System.arraycopy(present, 0, all, 0, present.length);
                Map<String, float[]> found = encode(
                        all,
                        image.path("aspect_ratio_id").asInt(),
                        image.path("num_tiles").asInt(),
                        Set.of("projector.product.biased"));
                assertThat(difference(
                                tensor(expected, id + ".cross_attention_states"),
                                found.get("projector.product.biased"),
                                i -> i))
                        .as(id)
                        .isLessThan(TOLERANCE);
            }
        }
    }

    @Test
    void readWhenBeforeAndAfterTheImageGivesEveryGoldenStage() throws IOException {
        Map<String, float[]> seen = encode(
                tensor(stages, "in.pixel_values"),
                6,
                4,
                Set.of("vision.0.key", "vision.0.value", "vision.1.key", "vision.1.value"));
        assertHeads("text.layer1.k_norm", seen.get("vision.0.key"), 2);
        assertHeads("text.layer4.k_norm", seen.get("vision.1.key"), 2);

        Map<String, String> goldens = new LinkedHashMap<>();
        goldens.put("embedding", "text.embeddings");
        for (int layer = 0; layer < 6; layer++) {
            boolean cross = config.crossLayers().contains(layer);
            goldens.put(
                    "layer." + layer + ".attention.output",
                    "text.layer%d.%s".formatted(layer, cross ? "cross_attn" : "self_attn"));
            goldens.put("layer." + layer + ".after_mlp", "text.layer" + layer);
        }
        goldens.put("layer.5.next_norm", "text.final_norm");
        goldens.put("logits", "logits");
        goldens.put("layer.1.attention.q_norm", "text.layer1.q_norm");
        goldens.put("layer.4.attention.q_norm", "text.layer4.q_norm");
        int[] tokens = prompt();
        Map<String, float[]> found = read(tokens, seen, 4, goldens.keySet());
        goldens.forEach((value, golden) -> {
            if (golden.endsWith("q_norm")) {
                assertHeads(golden, found.get(value), 4);
            } else {
                assertNear(golden, found.get(value), i -> i);
            }
        });
    }

    @Test
    void readWhenThereIsNoImageGivesGoldenLogits() throws IOException {
        JsonNode cases = cases();
        int[] tokens = IntStream.concat(
                        ints(cases.path("conversations").path("text").path("input_ids")),
                        ints(cases.path("forced_continuation").path("ids")))
                .toArray();
        Map<String, float[]> nothing = new HashMap<>();
        for (String name : List.of("vision.0.key", "vision.0.value", "vision.1.key", "vision.1.value")) {
            nothing.put(name, new float[32]);
        }
        Map<String, OnnxProbe.Input> caches = emptyCaches(tokens.length);
        float[] logits;
        try (OnnxProbe decoder = OnnxProbe.load(decoder(Set.of()), 2)) {
            logits = step(decoder, tokens, 0, tokens.length, caches, nothing, 1, 0, Set.of("logits"))
                    .get("logits");
        }
        try (Checkpoint expected = goldens("logits")) {
            float[] forced = tensor(expected, "none.text.logits_forced");
            int first = logits.length - forced.length;
            assertThat(difference(forced, Arrays.copyOfRange(logits, first, logits.length), i -> i))
                    .isLessThan(TOLERANCE);
        }
    }

    private Map<String, float[]> encode(float[] pixels, int arrangement, int tiles, Set<String> outputs)
            throws IOException {
        OnnxGraph graph = VisionGraph.build(config, weights, Recipe.of(Precision.FP32));
        try (OnnxProbe encoder = OnnxProbe.load(written(graph, outputs), 2)) {
            return encoder.run(
                    Map.of(
                            "pixel_values",
                            Input.floats(pixels, TILES, 3, 56, 56),
                            "aspect_ratio_id",
                            Input.longs(new long[] {arrangement}, 1),
                            "tiles",
                            Input.longs(new long[] {tiles}, 1)),
                    outputs);
        }
    }

    private Map<String, float[]> read(int[] tokens, Map<String, float[]> seen, int tiles, Set<String> wanted)
            throws IOException {
        Map<String, float[]> all = new HashMap<>();
        Map<String, OnnxProbe.Input> caches = emptyCaches(tokens.length);
        try (OnnxProbe decoder = OnnxProbe.load(decoder(wanted), 2)) {
            Map<String, float[]> before =
                    step(decoder, tokens, 0, IMAGE_AT, caches, seen, TILES * TILE_TOKENS, 0, wanted);
            Map<String, float[]> after =
                    step(decoder, tokens, IMAGE_AT, tokens.length, caches, seen, tiles * TILE_TOKENS, 1, wanted);
            for (String name : wanted) {
                float[] first = before.get(name);
                float[] second = after.get(name);
                float[] both = Arrays.copyOf(first, first.length + second.length);
                System.arraycopy(second, 0, both, first.length, second.length);
                all.put(name, both);
            }
        }
        return all;
    }

    private Map<String, float[]> step(
            OnnxProbe decoder,
            int[] tokens,
            int from,
            int to,
            Map<String, OnnxProbe.Input> caches,
            Map<String, float[]> seen,
            int visionTokens,
            float imageSeen,
            Set<String> wanted) {
        Map<String, Input> inputs = new HashMap<>(caches);
        inputs.put(
                "input_ids",
                Input.longs(Arrays.stream(tokens, from, to).asLongStream().toArray(), 1, to - from));
        inputs.put("rows", Input.longs(LongStream.range(0, to - from).toArray(), to - from));
        inputs.put("seqlens_k", Input.ints(new int[] {to - 1}, 1));
        inputs.put("total_sequence_length", Input.ints(new int[] {to}));
        inputs.put("image_seen", Input.floats(new float[] {imageSeen}));
        seen.forEach((name, values) -> {
            if (name.startsWith("vision.")) {
                inputs.put(name, Input.floats(Arrays.copyOf(values, visionTokens * 32), 1, visionTokens, 32));
            }
        });
        Set<String> outputs = new TreeSet<>(wanted);
        caches.keySet().forEach(name -> outputs.add(name.replace("past_key_values", "present")));
        Map<String, float[]> found = decoder.run(inputs, outputs);
        caches.replaceAll((name, _) ->
                Input.floats(found.get(name.replace("past_key_values", "present")), 1, 2, tokens.length, 16));
        return found;
    }

    private static Map<String, OnnxProbe.Input> emptyCaches(int tokens) {
        Map<String, OnnxProbe.Input> caches = new HashMap<>();
        for (int layer = 0; layer < 4; layer++) {
            for (String which : List.of("key", "value")) {
                caches.put(
                        "past_key_values." + layer + "." + which,
                        Input.floats(new float[2 * tokens * 16], 1, 2, tokens, 16));
            }
        }
        return caches;
    }

    private Path decoder(Set<String> wanted) throws IOException {
        Matrix head = Matrix.of(weights.require("language_model.lm_head.weight"));
        return written(LlamaGraph.build(config, weights, Recipe.of(Precision.FP32), head), wanted);
    }

    private Path written(OnnxGraph graph, Set<String> outputs) throws IOException {
        List<String> known = graph.outputs().stream().map(OnnxGraph.Value::name).toList();
        outputs.stream()
                .filter(output -> !known.contains(output))
                .forEach(output -> graph.output(output, ElementType.FLOAT, "a", "b", "c"));
        Path file = Files.createTempFile(folder, "graph", ".onnx");
        new OnnxWriter("test").write(graph, file, _ -> {});
        return file;
    }

    /** The place in the reference of a number of tokens whose padding comes last here. */
    private static int inReference(int i) {
        int token = i / HIDDEN;
        int content = TILES * TILE_TOKENS;
        int place = token < content
                ? token / TILE_TOKENS * TILE_WITH_PADDING + token % TILE_TOKENS
                : (token - content) / (TILE_WITH_PADDING - TILE_TOKENS) * TILE_WITH_PADDING
                        + TILE_TOKENS
                        + (token - content) % (TILE_WITH_PADDING - TILE_TOKENS);
        return place * HIDDEN + i % HIDDEN;
    }

    /** Compares heads that lie side by side with those that the reference has one after the other. */
    private void assertHeads(String golden, float[] found, int heads) {
        int tokens = found.length / heads / 16;
        assertNear(golden, found, i -> {
            int token = i / (heads * 16);
            int head = i / 16 % heads;
            return (head * tokens + token) * 16 + i % 16;
        });
    }

    private void assertNear(String golden, float[] found, IntUnaryOperator place) {
        assertThat(difference(tensor(stages, golden), found, place)).as(golden).isLessThan(TOLERANCE);
    }

    private static double difference(float[] expected, float[] found, IntUnaryOperator place) {
        assertThat(found).hasSameSizeAs(expected);
        return IntStream.range(0, found.length)
                .mapToDouble(i -> Math.abs(found[i] - expected[place.applyAsInt(i)]))
                .max()
                .orElseThrow();
    }

    private int[] prompt() throws IOException {
        JsonNode cases = cases();
        return IntStream.concat(
                        ints(cases.path("conversations").path("a").path("input_ids")),
                        ints(cases.path("forced_continuation").path("ids")))
                .toArray();
    }

    private static IntStream ints(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::asInt);
    }

    private static JsonNode cases() throws IOException {
        return JsonMapper.shared().readTree(Files.readAllBytes(MODEL.resolve("golden/cases.json")));
    }

    private Checkpoint goldens(String name) throws IOException {
        Path directory = Files.createTempDirectory(folder, name);
        Files.copy(MODEL.resolve("golden").resolve(name + ".safetensors"), directory.resolve("model.safetensors"));
        return SafetensorsCheckpoint.open(directory);
    }

    private static float[] tensor(Checkpoint from, String name) {
        Tensor tensor = from.require(name);
        float[] values = new float[tensor.rows() * tensor.columns()];
        float[] row = new float[tensor.columns()];
        for (int r = 0; r < tensor.rows(); r++) {
            tensor.row(r, row);
            System.arraycopy(row, 0, values, r * row.length, row.length);
        }
        return values;
    }
}
