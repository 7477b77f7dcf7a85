package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.ModelSource;
import dev.corral.guardmodels.store.Precision;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.Quantised;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.gguf.GgufModel;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
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

    /** Queries in 4 bits, keys in 8 and values in 16, as mixed files have them: the model is that of the exact values. */
    @Test
    void importWhenQueriesKeysAndValuesAreOfThreeTypesCarriesEachOver() throws Exception {
        Path stored = Files.createTempFile(folder, "stored", ".onnx");
        Path exact = Files.createTempFile(folder, "exact", ".onnx");
        GgufModel model = GgufModel.open(file("q4_0"));
        try (Checkpoint weights = new Mixed(
                model.weights(),
                Map.of(
                        ".k_proj.weight", GgufModel.open(file("q8_0")).weights(),
                        ".v_proj.weight", GgufModel.open(file("f16")).weights()))) {
            write(model.config(), weights, recipe(stored(true)), stored);
            write(model.config(), weights, recipe(new Format.Fp32()), exact);
            try (GuardGraph back = GuardGraph.open(new ModelSource.InFile(stored))) {
                for (String projection : List.of("q_proj", "k_proj", "v_proj")) {
                    String name = "model.layers.1.self_attn." + projection + ".weight";
                    assertSame(Matrix.of(weights.require(name)), Matrix.of(back.require(name)));
                }
            }
            int[] tokens = tokens(goldens().path("cases").path(0), goldens());
            int[] rows = {tokens.length - 4, tokens.length - 1};
            try (OnnxCausalModel ours = load(model.config(), stored);
                    OnnxCausalModel theirs = load(model.config(), exact)) {
                float[][] wanted = theirs.logits(tokens, rows);
                float[][] found = ours.logits(tokens, rows);
                for (int i = 0; i < rows.length; i++) {
                    assertThat(found[i]).usingComparatorWithPrecision(1e-3f).containsExactly(wanted[i]);
                }
            }
        }
    }

    private static void assertSame(Matrix wanted, Matrix found) {
        assertThat(found.rows()).isEqualTo(wanted.rows());
        assertThat(found.quantised().map(Quantised::layout).map(Quantised.Layout::bits))
                .isEqualTo(wanted.quantised().map(Quantised::layout).map(Quantised.Layout::bits));
        float[] wantedRow = new float[wanted.columns()];
        float[] foundRow = new float[wanted.columns()];
        for (int row = 0; row < wanted.rows(); row++) {
            wanted.row(row, wantedRow);
            found.row(row, foundRow);
            assertThat(foundRow).isEqualTo(wantedRow);
        }
    }

    /**
     * The weights of one checkpoint, but for some that are another's.
     *
     * @param others by how a tensor's name ends
     */
    private record Mixed(Checkpoint most, Map<String, Checkpoint> others) implements Checkpoint {

        @Override
        public List<Path> files() {
            return most.files();
        }

        @Override
        public Set<String> names() {
            return most.names();
        }

        @Override
        public Optional<Tensor> find(String name) {
            return others.entrySet().stream()
                    .filter(other -> name.endsWith(other.getKey()))
                    .findFirst()
                    .map(Map.Entry::getValue)
                    .orElse(most)
                    .find(name);
        }

        @Override
        public void close() {
            most.close();
            others.values().forEach(Checkpoint::close);
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
            write(config, weights, recipe, file);
        }
        return load(config, file);
    }

    private static void write(LlamaConfig config, Checkpoint weights, Recipe recipe, Path file) throws IOException {
        Matrix head = Matrix.of(weights.require(config.tied() ? "model.embed_tokens.weight" : "lm_head.weight"));
        new OnnxWriter("test").write(LlamaGraph.build(config, weights, recipe, head), file, written -> {});
    }

    private static OnnxCausalModel load(LlamaConfig config, Path file) {
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
