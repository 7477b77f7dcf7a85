package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.corral.guardmodels.onnx.OnnxProbe;
import dev.corral.guardmodels.onnx.OnnxProbe.Input;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a graph tells of its layers, against states that the reference implementation computed. */
class ObservationTests {

    private static final Path MODEL = Path.of("src/test/resources/fixtures/tiny-llama-guard");

    @TempDir
    Path folder;

    @Test
    void observationWhenRunTellsWhatTheReferenceComputed() throws IOException {
        LlamaConfig config = LlamaConfig.read(MODEL);
        try (Checkpoint weights = SafetensorsCheckpoint.open(MODEL);
                Checkpoint expected = SafetensorsCheckpoint.open(MODEL.resolve("golden/intermediate"))) {
            long[] tokens = tokens();
            Map<String, float[]> observed = observe(config, weights, tokens);

            for (int layer = 0; layer < config.layers(); layer++) {
                float[][] before =
                        rows(expected.require(layer == 0 ? "embeddings" : "layer" + (layer - 1) + ".output"));
                float[][] after = rows(expected.require("layer" + layer + ".output"));
                float[] similarity = observed.get(Observation.similarity(layer));
                assertThat(similarity).hasSize(tokens.length);
                for (int token = 0; token < tokens.length; token++) {
                    double cosine = dot(before[token], after[token])
                            / Math.sqrt(dot(before[token], before[token]) * dot(after[token], after[token]));
                    assertThat(similarity[token]).isCloseTo((float) cosine, offset(1e-4f));
                }
                assertThat(observed.get(Observation.strength(layer)))
                        .containsExactly(strength(config, weights, expected, layer), offset(1e-3f));
            }
        }
    }

    private Map<String, float[]> observe(LlamaConfig config, Checkpoint weights, long[] tokens) throws IOException {
        Path file = folder.resolve("observed.onnx");
        Matrix head = Matrix.of(weights.require("lm_head.weight"));
        OnnxWriter.beside("test").write(Observation.build(config, weights, head, 1024), file, written -> {});
        Map<String, Input> inputs = new HashMap<>();
        inputs.put("input_ids", Input.longs(tokens, 1, tokens.length));
        inputs.put("rows", Input.longs(LongStream.range(0, tokens.length).toArray(), tokens.length));
        inputs.put("seqlens_k", Input.ints(new int[] {tokens.length - 1}, 1));
        inputs.put("total_sequence_length", Input.ints(new int[] {tokens.length}));
        for (int layer = 0; layer < config.layers(); layer++) {
            for (String part : new String[] {"key", "value"}) {
                inputs.put(
                        "past_key_values." + layer + "." + part,
                        Input.floats(new float[0], 1, config.kvHeads(), 0, config.headSize()));
            }
        }
        try (OnnxProbe probe = OnnxProbe.load(file, 1)) {
            return probe.run(
                    inputs,
                    Set.of(
                            Observation.similarity(0),
                            Observation.similarity(1),
                            Observation.similarity(2),
                            Observation.strength(0),
                            Observation.strength(1),
                            Observation.strength(2)));
        }
    }

    /** The l2 norm of each neuron, written out. */
    private static float[] strength(LlamaConfig config, Checkpoint weights, Checkpoint expected, int layer) {
        float[][] inputs = rows(expected.require("layer" + layer + ".post_attention_layernorm"));
        float[][] gate = rows(weights.require("model.layers." + layer + ".mlp.gate_proj.weight"));
        float[][] up = rows(weights.require("model.layers." + layer + ".mlp.up_proj.weight"));
        float[] strength = new float[config.intermediate()];
        for (int neuron = 0; neuron < strength.length; neuron++) {
            double squares = 0;
            for (float[] input : inputs) {
                double gated = dot(gate[neuron], input);
                squares += Math.pow(gated / (1 + Math.exp(-gated)) * dot(up[neuron], input), 2);
            }
            strength[neuron] = (float) Math.sqrt(squares);
        }
        return strength;
    }

    /** The case that the reference's states belong to: a prompt and the tokens forced after it. */
    private static long[] tokens() throws IOException {
        JsonNode goldens = JsonMapper.shared().readTree(Files.readAllBytes(MODEL.resolve("golden/cases.json")));
        JsonNode prompt = goldens.path("cases")
                .valueStream()
                .filter(golden -> golden.path("id").asString().equals("guard_short"))
                .findFirst()
                .orElseThrow()
                .path("input_ids");
        return LongStream.concat(
                        prompt.valueStream().mapToLong(JsonNode::asLong),
                        goldens.path("forced_continuation")
                                .path("ids")
                                .valueStream()
                                .mapToLong(JsonNode::asLong))
                .toArray();
    }

    private static float[][] rows(Tensor tensor) {
        float[][] rows = new float[tensor.rows()][tensor.columns()];
        for (int row = 0; row < rows.length; row++) {
            tensor.row(row, rows[row]);
        }
        return rows;
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}
