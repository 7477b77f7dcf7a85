package dev.corral.quantization.graph;

import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Recipe;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A whole fp32 decoder with two more outputs a layer, for a text whose tokens are all among the rows:
 * {@link #similarity} (1, n, 1), the cosine of each token's state before the layer and after it, and {@link #strength}
 * (1, 1, intermediate), the l2 norm of each MLP neuron over the text.
 */
public final class Observation {

    private Observation() {}

    /** The output that tells how alike a layer's input and output are. */
    public static String similarity(int layer) {
        return "observed." + layer + ".similarity";
    }

    /** The output that tells how much a layer's neurons fire. */
    public static String strength(int layer) {
        return "observed." + layer + ".strength";
    }

    /**
     * Builds the graph; the checkpoint must stay open until it is written.
     *
     * @param positions most tokens of a text
     */
    public static OnnxGraph build(LlamaConfig config, Checkpoint weights, Matrix head, int positions) {
        Format plain = new Format.Fp32();
        Recipe recipe = new Recipe(plain, List.of(), plain, Optional.empty(), Optional.empty(), positions);
        OnnxGraph graph = LlamaGraph.build(config, weights, recipe, head);
        String lastAxis = graph.constant(Initializer.longs("observed.last_axis", -1));
        String tokenAxis = graph.constant(Initializer.longs("observed.token_axis", 1));
        for (int layer = 0; layer < config.layers(); layer++) {
            String before = LlamaGraph.stateBefore(layer);
            String after = LlamaGraph.stateBefore(layer + 1);
            String name = "observed." + layer;
            String product = graph.standard(
                    "ReduceSum", name + ".product", graph.standard("Mul", name + ".products", before, after), lastAxis);
            String lengths = graph.standard(
                    "Mul",
                    name + ".lengths",
                    graph.standard("ReduceL2", name + ".before", before, lastAxis),
                    graph.standard("ReduceL2", name + ".after", after, lastAxis));
            graph.standard("Div", similarity(layer), product, lengths);
            graph.output(similarity(layer), ElementType.FLOAT, 1L, "tokens", 1L);
            graph.node(
                    OnnxGraph.STANDARD,
                    "ReduceL2",
                    List.of(LlamaGraph.neurons(layer), tokenAxis),
                    List.of(strength(layer)),
                    Map.of("keepdims", 1L));
            graph.output(strength(layer), ElementType.FLOAT, 1L, 1L, (long) config.intermediate());
        }
        return graph;
    }
}
