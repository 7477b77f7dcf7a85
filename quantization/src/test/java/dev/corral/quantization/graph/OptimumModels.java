package dev.corral.quantization.graph;

import dev.corral.guardmodels.store.Precision;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.recipe.Recipe;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Models in the layout of Optimum and onnx-community. */
public final class OptimumModels {

    private OptimumModels() {}

    /** Writes the model of a Hugging Face folder; {@code logits} is "tokens" for those of all tokens, or how many. */
    public static void write(Path huggingFace, Object logits, Path file) throws IOException {
        try (Checkpoint weights = SafetensorsCheckpoint.open(huggingFace)) {
            OnnxGraph graph = LlamaGraph.build(
                    LlamaConfig.read(huggingFace),
                    weights,
                    Recipe.of(Precision.FP32),
                    Matrix.of(weights.require("lm_head.weight")));
            new OnnxWriter("test").write(of(graph, logits), file, _ -> {});
        }
    }

    /** The same decoder with other inputs and outputs: a mask in place of lengths, and logits of all tokens. */
    static OnnxGraph of(OnnxGraph graph, Object logits) {
        OnnxGraph other = new OnnxGraph();
        other.input("input_ids", ElementType.INT64, 1L, "tokens");
        other.input("attention_mask", ElementType.INT64, 1L, "total");
        other.input("position_ids", ElementType.INT64, 1L, "tokens");
        graph.inputs().stream()
                .filter(input -> input.name().startsWith("past_key_values."))
                .forEach(input ->
                        other.input(input.name(), input.type(), input.shape().toArray()));
        String one = other.constant(Initializer.longs("optimum.one", 1));
        String zero = other.constant(
                new Initializer("optimum.zero", ElementType.INT64, List.of(), out -> out.write(new byte[8])));
        String step = other.constant(new Initializer(
                "optimum.step", ElementType.INT64, List.of(), out -> out.write(new byte[] {1, 0, 0, 0, 0, 0, 0, 0})));
        String count =
                other.standard("Gather", "optimum.count", other.standard("Shape", "optimum.shape", "input_ids"), step);
        if (logits.equals("tokens")) {
            other.standard("Range", "rows", zero, count, step);
        } else {
            other.standard("Reshape", "rows", other.standard("Sub", "optimum.last", count, step), one);
        }
        String total = other.standard(
                "Gather", "optimum.total", other.standard("Shape", "optimum.mask", "attention_mask"), step);
        cast(other, total, "total_sequence_length");
        cast(
                other,
                other.standard("Sub", "optimum.before", other.standard("Reshape", "optimum.totals", total, one), one),
                "seqlens_k");
        graph.initializers().forEach(other::constant);
        graph.nodes()
                .forEach(node ->
                        other.node(node.domain(), node.operator(), node.inputs(), node.outputs(), node.attributes()));
        for (OnnxGraph.Value output : graph.outputs()) {
            List<Object> shape = new ArrayList<>(output.shape());
            if (output.name().equals("logits")) {
                shape.set(1, logits);
            } else {
                shape.set(2, "total");
            }
            other.output(output.name(), output.type(), shape.toArray());
        }
        return other;
    }

    private static void cast(OnnxGraph graph, String from, String to) {
        graph.node(
                OnnxGraph.STANDARD, "Cast", List.of(from), List.of(to), Map.of("to", (long) ElementType.INT32.code()));
    }
}
