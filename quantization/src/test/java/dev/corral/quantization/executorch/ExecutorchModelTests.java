package dev.corral.quantization.executorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.Precision;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Quantised;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.executorch.PhoneFixtures.Expected;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.LlamaGraph;
import dev.corral.quantization.graph.Matrix;
import dev.corral.quantization.graph.OnnxWriter;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import tools.jackson.databind.JsonNode;

class ExecutorchModelTests {

    static final List<String> FIXTURES = PhoneFixtures.NAMES;

    private static final Map<String, String> MATRICES = Map.of(
            "self_attn.v_proj", "attention.wv",
            "self_attn.o_proj", "attention.wo",
            "mlp.gate_proj", "feed_forward.w1",
            "mlp.down_proj", "feed_forward.w2",
            "mlp.up_proj", "feed_forward.w3");

    private static final int HEAD_SIZE = 64;

    @TempDir
    Path folder;

    @ParameterizedTest
    @FieldSource("FIXTURES")
    void openWhenOfAFixtureHasItsNumbersAndScales(String name) throws IOException {
        Expected expected = PhoneFixtures.expected(name);
        try (ExecutorchModel model = PhoneFixtures.open(name)) {
            assertSame(model, "model.embed_tokens.weight", expected, "tok_embeddings.weight", false);
            assertSame(model, ExecutorchModel.HEAD, expected, "output.weight", false);
            for (int layer = 0; layer < 2; layer++) {
                String to = "layers." + layer + ".";
                String from = "model." + to;
                MATRICES.forEach((ours, metas) ->
                        assertSame(model, from + ours + ".weight", expected, to + metas + ".weight", false));
                assertSame(model, from + "self_attn.q_proj.weight", expected, to + "attention.wq.weight", true);
                assertSame(model, from + "self_attn.k_proj.weight", expected, to + "attention.wk.weight", true);
                assertThat(model.require(from + "input_layernorm.weight").vector())
                        .isEqualTo(expected.floats(to + "attention_norm.weight"));
                assertThat(model.require(from + "post_attention_layernorm.weight")
                                .vector())
                        .isEqualTo(expected.floats(to + "ffn_norm.weight"));
            }
            assertThat(model.require("model.norm.weight").vector()).isEqualTo(expected.floats("norm.weight"));
            assertThat(elements(model.require("rotary.cos"))).isEqualTo(expected.floats("rope.cos"));
            assertThat(elements(model.require("rotary.sin"))).isEqualTo(expected.floats("rope.sin"));
        }
    }

    /** The embedding of 1.5 has scales in float32, linear layers of 1.5 in bfloat16; all others are exact. */
    private static void assertSame(
            ExecutorchModel model, String ours, Expected expected, String theirs, boolean inPairs) {
        Quantised stored = model.require(ours).quantised().orElseThrow();
        byte[] numbers = expected.numbers(theirs + ".q");
        float[] scales = expected.floats(theirs + ".scale");
        int rows = expected.rows(theirs + ".q");
        int columns = numbers.length / rows;
        int groups = scales.length / rows;
        assertThat(model.require(ours).shape()).containsExactly((long) rows, (long) columns);
        assertThat(stored.layout().blockSize()).isEqualTo(columns / groups);
        boolean exact = !model.description().contains("dialect 1.5") || theirs.startsWith("tok");
        for (int row = 0; row < rows; row++) {
            int source = inPairs ? row - row % HEAD_SIZE + pairs(row % HEAD_SIZE) : row;
            byte[] ourNumbers = new byte[columns];
            stored.numbers(row, ourNumbers);
            assertThat(ourNumbers)
                    .as("numbers of %s, row %d", ours, row)
                    .isEqualTo(Arrays.copyOfRange(numbers, source * columns, (source + 1) * columns));
            float[] ourScales = new float[groups];
            stored.scales(row, ourScales);
            for (int group = 0; group < groups; group++) {
                float wanted = scales[source * groups + group];
                assertThat(Math.abs(ourScales[group] - wanted))
                        .as("scale of %s, row %d, group %d", ours, row, group)
                        .isLessThanOrEqualTo(exact ? 0 : Math.abs(wanted) / 256);
            }
        }
    }

    /** Where a value of a head lies that Hugging Face has at a place: all even ones first, then all odd ones. */
    private static int pairs(int inHead) {
        return inHead < HEAD_SIZE / 2 ? 2 * inHead : 2 * inHead - HEAD_SIZE + 1;
    }

    private static float[] elements(Tensor tensor) {
        float[] all = new float[tensor.rows() * tensor.columns()];
        float[] row = new float[tensor.columns()];
        for (int i = 0; i < tensor.rows(); i++) {
            tensor.row(i, row);
            System.arraycopy(row, 0, all, i * row.length, row.length);
        }
        return all;
    }

    @ParameterizedTest
    @FieldSource("FIXTURES")
    void openWhenOfAFixtureKnowsGeometryTokensAndRotaryTables(String name) throws IOException {
        JsonNode map = PhoneFixtures.json("output_prune_map.json");
        double factor = name.equals("tiny-v1.5.1-g32") ? 32 : 8;
        try (ExecutorchModel model = PhoneFixtures.open(name)) {
            assertThat(model.config())
                    .isEqualTo(new LlamaConfig(
                            256,
                            2,
                            4,
                            2,
                            HEAD_SIZE,
                            512,
                            512,
                            128,
                            500_000,
                            Optional.of(new LlamaConfig.RopeScaling.Llama3(factor, 1, 4, 8192)),
                            1e-5f,
                            false));
            assertThat(model.tokens())
                    .containsExactlyElementsOf(IntStream.range(0, 20)
                            .mapToObj(row -> map.path(String.valueOf(row)).asInt())
                            .toList());
            assertThat(model.description())
                    .contains(name.contains("1.5") ? "dialect 1.5" : "dialect 0.4")
                    .contains("forward ")
                    .contains("get_n_layers")
                    .contains("271 198 19 392")
                    .contains("theta 500000 and Llama 3's factor %.0f".formatted(factor));
        }
    }

    @ParameterizedTest
    @FieldSource("FIXTURES")
    void convertWhenActivationsStayExactGivesTheLogitsOfTheSameWeights(String name) throws Exception {
        try (OnnxCausalModel converted = convert(name, true)) {
            for (JsonNode sequence : PhoneFixtures.json(name + ".logits.json")) {
                int[] read = {};
                ReferenceLlama.Scales scales =
                        name.contains("1.5") ? ReferenceLlama.Scales.NEAREST : ReferenceLlama.Scales.EXACT;
                ReferenceLlama reference = new ReferenceLlama(PhoneFixtures.expected(name), false, scales);
                for (int call = 0; call < sequence.path("steps").size(); call++) {
                    int[] tokens = PhoneFixtures.ints(sequence.path("steps").path(call));
                    read = IntStream.concat(Arrays.stream(read), Arrays.stream(tokens))
                            .toArray();
                    float[] wanted = reference.logits(tokens);

                    float[] logits = converted.logits(read, new int[] {read.length - 1})[0];

                    assertThat(farthest(logits, wanted))
                            .as("%s, call %d", name, call)
                            .isLessThan(1e-3);
                    assertNearThePhone(logits, sequence, call);
                }
            }
        }
    }

    @ParameterizedTest
    @FieldSource("FIXTURES")
    void convertWhenActivationsAreQuantisedDecidesAsThePhoneDoes(String name) throws Exception {
        try (OnnxCausalModel converted = convert(name, false)) {
            for (JsonNode sequence : PhoneFixtures.json(name + ".logits.json")) {
                int[] read = {};
                for (int call = 0; call < sequence.path("steps").size(); call++) {
                    int[] tokens = PhoneFixtures.ints(sequence.path("steps").path(call));
                    read = IntStream.concat(Arrays.stream(read), Arrays.stream(tokens))
                            .toArray();
                    assertNearThePhone(converted.logits(read, new int[] {read.length - 1})[0], sequence, call);
                }
            }
        }
    }

    /** What the weights mean is what ExecuTorch takes them for: with its arithmetic they give its very logits. */
    @ParameterizedTest
    @FieldSource("FIXTURES")
    void logitsWhenComputedAsThePhoneDoesAreItsOwn(String name) throws IOException {
        for (JsonNode sequence : PhoneFixtures.json(name + ".logits.json")) {
            ReferenceLlama.Scales scales =
                    name.contains("1.5") ? ReferenceLlama.Scales.NEAREST : ReferenceLlama.Scales.LOADED;
            ReferenceLlama reference = new ReferenceLlama(PhoneFixtures.expected(name), true, scales);
            for (int call = 0; call < sequence.path("steps").size(); call++) {
                float[] logits = reference.logits(
                        PhoneFixtures.ints(sequence.path("steps").path(call)));
                // where one value lies just between two steps of 8 bits it may fall to the other
                assertThat(farthest(logits, recorded(sequence, call))).isLessThan(0.05);
            }
        }
    }

    private static void assertNearThePhone(float[] logits, JsonNode sequence, int call) {
        float[] recorded = recorded(sequence, call);
        assertThat(highest(logits)).as("highest of call %d", call).isEqualTo(highest(recorded));
        assertThat(farthest(logits, recorded)).as("call %d", call).isLessThanOrEqualTo(0.25);
    }

    private static float[] recorded(JsonNode sequence, int call) {
        JsonNode row = sequence.path("runtime_logits").path(call);
        float[] logits = new float[row.size()];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = row.path(i).floatValue();
        }
        return logits;
    }

    private OnnxCausalModel convert(String name, boolean exactActivations) throws IOException {
        Path file = Files.createTempFile(folder, name, ".onnx");
        Format asStored = new Format.Stored(Precision.INT4, exactActivations, new Format.Fp32());
        Recipe recipe = new Recipe(asStored, List.of(), asStored, Optional.empty(), Optional.empty(), 8192);
        try (ExecutorchModel model = PhoneFixtures.open(name)) {
            LlamaConfig config = model.config();
            Matrix head = Matrix.of(model.require(ExecutorchModel.HEAD));
            new OnnxWriter("test").write(LlamaGraph.build(config, model, recipe, head), file, _ -> {});
            return OnnxCausalModel.load(
                    file,
                    new ModelShape(config.layers(), config.kvHeads(), config.headSize(), head.rows(), 128),
                    Resources.oneLane(1));
        }
    }

    private static int highest(float[] logits) {
        return IntStream.range(0, logits.length)
                .reduce((a, b) -> logits[a] >= logits[b] ? a : b)
                .orElseThrow();
    }

    private static double farthest(float[] logits, float[] wanted) {
        return IntStream.range(0, wanted.length)
                .mapToDouble(i -> Math.abs(logits[i] - wanted[i]))
                .max()
                .orElseThrow();
    }

    @Test
    void openWhenParametersAreAnothersNamesTheKey() throws IOException {
        Path parameters = folder.resolve("params.json");
        Files.writeString(parameters, "{\"dim\": 256, \"n_layers\": 3, \"multiple_of\": 256}");
        Path file = PhoneFixtures.file("tiny-v0.4.0-g256.pte");

        assertThatThrownBy(() -> ExecutorchModel.open(file, Optional.of(parameters)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("n_layers is 3")
                .hasMessageContaining("shows 2");
    }
}
