package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.Precision;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.safetensors.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxWriterTests {

    private static final Path MODEL = Path.of("src/test/resources/fixtures/tiny-llama-guard");

    @TempDir
    Path folder;

    @Test
    void writeWhenOverTheLimitPutsConstantsBesideTheModel() throws Exception {
        Path inline = folder.resolve("inline.onnx");
        Path external = folder.resolve("external.onnx");
        write(new OnnxWriter("test"), inline);
        write(new OnnxWriter("test", 1000), external);

        assertThat(folder.resolve("inline.onnx.data")).doesNotExist();
        assertThat(Files.size(folder.resolve("external.onnx.data"))).isGreaterThan(800_000);
        assertThat(Files.size(external)).isLessThan(50_000);
        int[] tokens = {608, 39, 366, 78};
        assertThat(logits(external, tokens)).isEqualTo(logits(inline, tokens));
    }

    @Test
    void writeWhenRepeatedGivesTheSameBytes() throws IOException {
        Path first = folder.resolve("first.onnx");
        Path second = folder.resolve("second.onnx");
        write(new OnnxWriter("test"), first);
        write(new OnnxWriter("test"), second);

        assertThat(first).hasSameBinaryContentAs(second);
    }

    @Test
    void writeReportsProgressUpToTheEnd() throws IOException {
        List<Long> progress = new ArrayList<>();
        LlamaConfig config = LlamaConfig.read(MODEL);
        try (Checkpoint weights = Checkpoint.open(MODEL)) {
            OnnxGraph graph = graph(config, weights);
            new OnnxWriter("test").write(graph, folder.resolve("model.onnx"), progress::add);
            assertThat(progress).isSorted().last().isEqualTo(graph.constantBytes());
        }
    }

    private static void write(OnnxWriter writer, Path file) throws IOException {
        LlamaConfig config = LlamaConfig.read(MODEL);
        try (Checkpoint weights = Checkpoint.open(MODEL)) {
            writer.write(graph(config, weights), file, written -> {});
        }
    }

    private static OnnxGraph graph(LlamaConfig config, Checkpoint weights) {
        return LlamaGraph.build(
                config, weights, Recipe.of(Precision.FP32), Matrix.of(weights.require("lm_head.weight")));
    }

    private static float[] logits(Path model, int[] tokens) throws InterruptedException {
        try (OnnxCausalModel loaded =
                OnnxCausalModel.load(model, new ModelShape(3, 2, 16, 672, 512), Resources.oneLane(1))) {
            return loaded.logits(tokens, new int[] {tokens.length - 1})[0];
        }
    }
}
