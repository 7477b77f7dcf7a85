package dev.corral.quantization.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.Precision;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OnnxWriterTests {

    private static final Path MODEL = Path.of("src/test/resources/fixtures/tiny-llama-guard");

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(Precision.class)
    void writeWhenOverTheLimitPutsConstantsBesideTheModel(Precision precision) throws Exception {
        Path inline = folder.resolve("inline.onnx");
        Path external = folder.resolve("external.onnx");
        write(new OnnxWriter("test"), inline, precision);
        write(new OnnxWriter("test", 1000), external, precision);

        assertThat(folder.resolve("inline.onnx.data")).doesNotExist();
        assertThat(Files.size(folder.resolve("external.onnx.data")))
                .isGreaterThan(Files.size(inline) - Files.size(external));
        assertThat(Files.size(external)).isLessThan(60_000);
        int[] tokens = {608, 39, 366, 78};
        assertThat(logits(external, tokens)).isEqualTo(logits(inline, tokens));
    }

    @Test
    void writeWhenRepeatedGivesTheSameBytes() throws IOException {
        Path first = folder.resolve("first.onnx");
        Path second = folder.resolve("second.onnx");
        write(new OnnxWriter("test"), first, Precision.FP32);
        write(new OnnxWriter("test"), second, Precision.FP32);

        assertThat(first).hasSameBinaryContentAs(second);
    }

    @Test
    void writeReportsProgressUpToTheEnd() throws IOException {
        List<Long> progress = new ArrayList<>();
        LlamaConfig config = LlamaConfig.read(MODEL);
        try (Checkpoint weights = SafetensorsCheckpoint.open(MODEL)) {
            OnnxGraph graph = graph(config, weights, Precision.INT8);
            new OnnxWriter("test").write(graph, folder.resolve("model.onnx"), progress::add);
            assertThat(progress).isSorted().last().isEqualTo(graph.constantBytes());
        }
    }

    private static void write(OnnxWriter writer, Path file, Precision precision) throws IOException {
        LlamaConfig config = LlamaConfig.read(MODEL);
        try (Checkpoint weights = SafetensorsCheckpoint.open(MODEL)) {
            writer.write(graph(config, weights, precision), file, written -> {});
        }
    }

    private static OnnxGraph graph(LlamaConfig config, Checkpoint weights, Precision precision) {
        return LlamaGraph.build(config, weights, Recipe.of(precision), Matrix.of(weights.require("lm_head.weight")));
    }

    private static float[] logits(Path model, int[] tokens) throws InterruptedException {
        try (OnnxCausalModel loaded =
                OnnxCausalModel.load(model, new ModelShape(3, 2, 16, 672, 512), Resources.oneLane(1))) {
            return loaded.logits(tokens, new int[] {tokens.length - 1})[0];
        }
    }
}
