package dev.corral.quantization.graph;

import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Projection;
import dev.corral.quantization.recipe.Recipe;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The decoder of a Llama-architecture model as an ONNX graph for {@code dev.corral.guardmodels.onnx.OnnxCausalModel}.
 *
 * <p>Inputs: {@code input_ids} (1, n) int64, the tokens that are new; {@code rows} (r) int64, the places among them whose
 * logits are wanted; {@code seqlens_k} (1) and {@code total_sequence_length} () int32, tokens so far less one and tokens
 * so far; {@code past_key_values.L.key|value} (1, kvHeads, capacity, headSize), filled up to the new tokens.
 * Outputs: {@code logits} (1, r, headRows); {@code present.L.key|value}, meant to be the very buffers of the past ones.
 */
public final class LlamaGraph {

    /** What the name of a value ends in of which only the wanted rows go on. */
    private static final String ROWS = ".rows";

    private final LlamaConfig config;
    private final Checkpoint weights;
    private final Recipe recipe;
    private final Kept kept;
    private final int layers;
    private final Way way;
    private final Map<String, Smoothing> smoothings;
    private final OnnxGraph graph = new OnnxGraph();

    private LlamaGraph(
            LlamaConfig config,
            Checkpoint weights,
            Recipe recipe,
            Kept kept,
            int layers,
            Way way,
            Map<String, Smoothing> smoothings) {
        this.config = config;
        this.weights = weights;
        this.recipe = recipe;
        this.kept = kept;
        this.layers = layers;
        this.way = way;
        this.smoothings = smoothings;
    }

    /** How a matrix of a layer is multiplied with. */
    @FunctionalInterface
    interface Way {

        /**
         * The way of a matrix.
         *
         * @param rows a name for what has as many rows as the activations
         */
        LinearLayer of(int layer, Projection projection, Format format, String rows);
    }

    /** The graph of a whole decoder; see {@link #build(LlamaConfig, Checkpoint, Recipe, Matrix, Kept, Calibrated)}. */
    public static OnnxGraph build(LlamaConfig config, Checkpoint weights, Recipe recipe, Matrix head) {
        return build(config, weights, recipe, head, Kept.all(config), Calibrated.NOTHING);
    }

    /**
     * Builds the graph; the checkpoint must stay open until the graph is written.
     *
     * @param config of the checkpoint
     * @param head the rows of the output that are kept, in order; always fp32
     * @param kept what the graph gets of the decoder
     * @param calibrated what calibration data decided on
     * @throws dev.corral.quantization.recipe.RecipeException if the recipe does not fit the decoder
     */
    public static OnnxGraph build(
            LlamaConfig config, Checkpoint weights, Recipe recipe, Matrix head, Kept kept, Calibrated calibrated) {
        Way way = (_, _, format, rows) -> LinearLayer.of(format, rows, calibrated);
        return build(config, weights, recipe, head, kept, kept.layers().size(), way, calibrated.smoothings());
    }

    /** The first layers of a decoder, and the head right after them. */
    static OnnxGraph build(
            LlamaConfig config, Checkpoint weights, Recipe recipe, Matrix head, Kept kept, int layers, Way way) {
        return build(config, weights, recipe, head, kept, layers, way, Map.of());
    }

    private static OnnxGraph build(
            LlamaConfig config,
            Checkpoint weights,
            Recipe recipe,
            Matrix head,
            Kept kept,
            int layers,
            Way way,
            Map<String, Smoothing> smoothings) {
        recipe.requireFits(kept.layers().size(), config.hidden());
        LlamaGraph builder = new LlamaGraph(config, weights, recipe, kept, layers, way, smoothings);
        builder.decoder(head, Math.min(recipe.contextTokens(), config.maxPositions()));
        return builder.graph;
    }

    /** The value of the residual stream before a layer, or after the last one; only the wanted rows of that. */
    static String stateBefore(int layer) {
        return layer == 0 ? "embedding" : "layer." + (layer - 1) + ".after_mlp";
    }

    /** The value of what the neurons of an MLP put out. */
    static String neurons(int layer) {
        return "layer." + layer + ".mlp.product";
    }

    private void decoder(Matrix head, int positions) {
        String tokens = graph.input("input_ids", ElementType.INT64, 1L, "tokens");
        graph.input("rows", ElementType.INT64, "rows");
        graph.input("seqlens_k", ElementType.INT32, 1L);
        graph.input("total_sequence_length", ElementType.INT32);
        RotaryTable rotary = new RotaryTable(config, positions);
        graph.constant(stored(RotaryTable.COSINES, positions).orElseGet(rotary::cosines));
        graph.constant(stored(RotaryTable.SINES, positions).orElseGet(rotary::sines));

        String residual =
                embedding().embed(graph, tokens, matrix("model.embed_tokens", config.vocabulary(), config.hidden()));
        String normal = "layer.0.input_norm";
        graph.node(
                OnnxGraph.STANDARD,
                "SimplifiedLayerNormalization",
                List.of(residual, norm(tensors(0) + "input_layernorm", normal)),
                List.of(normal),
                Map.of("epsilon", config.normEpsilon()));
        for (int layer = 0; layer < layers; layer++) {
            String weight = tensors(layer);
            String value = "layer." + layer + ".";
            String attention = attention(layer, normal);
            if (layer == layers - 1) {
                // what follows the last attention looks at one token at a time: only the wanted rows go on
                attention = rowsOf(attention, attention + ROWS);
                residual = rowsOf(residual, value + "residual.rows");
            }
            String mixed = linear(layer, Projection.OUTPUT)
                    .multiply(
                            graph,
                            value + "attention.output",
                            attention,
                            matrix(
                                    weight + "self_attn.o_proj",
                                    config.hidden(),
                                    (long) config.heads() * config.headSize()));
            String afterAttention = value + "after_attention";
            String mlpInput = addAndNorm(
                    residual, mixed, weight + "post_attention_layernorm", afterAttention, value + "mlp_norm");
            String next = layer + 1 < kept.layers().size() ? tensors(layer + 1) + "input_layernorm" : "model.norm";
            residual = stateBefore(layer + 1);
            normal = addAndNorm(afterAttention, mlp(layer, mlpInput), next, residual, value + "next_norm");
        }
        new LinearLayer.Fp32().multiply(graph, "logits", normal, head);
        graph.output("logits", ElementType.FLOAT, 1L, "rows", (long) head.rows());
    }

    /** A table that the checkpoint brings along, as far as it is needed. */
    private Optional<Initializer> stored(String name, int positions) {
        List<Integer> rows = IntStream.range(0, positions).boxed().toList();
        return weights.find(name).map(table -> new Rows(Matrix.of(table).select(rows)).floats(name));
    }

    private LinearLayer embedding() {
        return LinearLayer.of(recipe.embedding(), "tokens", Calibrated.NOTHING);
    }

    private LinearLayer linear(int layer, Projection projection) {
        // what follows the last layer's attention has the wanted rows only
        boolean cut = layer == layers - 1 && projection != Projection.QKV;
        Format format = recipe.format(layer, kept.layers().size(), projection);
        return way.of(layer, projection, format, cut ? "rows" : "tokens");
    }

    private String attention(int layer, String x) {
        String weight = tensors(layer) + "self_attn.";
        String value = "layer." + layer + ".attention";
        long kvWidth = (long) config.kvHeads() * config.headSize();
        Matrix values = matrix(weight + "v_proj", kvWidth, config.hidden());
        Smoothing smoothing = smoothings.get(layer == layers - 1 ? value + ROWS : value);
        String queryKeyValue = linear(layer, Projection.QKV)
                .multiply(
                        graph,
                        value + ".qkv",
                        x,
                        Matrix.stack(List.of(
                                matrix(weight + "q_proj", (long) config.heads() * config.headSize(), config.hidden()),
                                matrix(weight + "k_proj", kvWidth, config.hidden()),
                                smoothing == null ? values : smoothing.smooth(values))));
        Object[] cache = {1L, (long) config.kvHeads(), "capacity", (long) config.headSize()};
        String pastKey = graph.input("past_key_values." + layer + ".key", ElementType.FLOAT, cache);
        String pastValue = graph.input("past_key_values." + layer + ".value", ElementType.FLOAT, cache);
        String presentKey = "present." + layer + ".key";
        String presentValue = "present." + layer + ".value";
        graph.output(presentKey, ElementType.FLOAT, cache);
        graph.output(presentValue, ElementType.FLOAT, cache);
        graph.node(
                OnnxGraph.MICROSOFT,
                "GroupQueryAttention",
                List.of(
                        queryKeyValue,
                        "",
                        "",
                        pastKey,
                        pastValue,
                        "seqlens_k",
                        "total_sequence_length",
                        "rotary.cos",
                        "rotary.sin"),
                List.of(value, presentKey, presentValue),
                Map.of(
                        "num_heads",
                        (long) config.heads(),
                        "kv_num_heads",
                        (long) config.kvHeads(),
                        "do_rotary",
                        1L,
                        "rotary_interleaved",
                        0L));
        return value;
    }

    private String mlp(int layer, String x) {
        String weight = tensors(layer) + "mlp.";
        String value = "layer." + layer + ".mlp";
        List<Integer> neurons = kept.neurons().get(layer);
        Matrix gates = matrix(weight + "gate_proj", config.intermediate(), config.hidden());
        Matrix ups = matrix(weight + "up_proj", config.intermediate(), config.hidden());
        Matrix downs = matrix(weight + "down_proj", config.hidden(), config.intermediate());
        if (neurons.size() < config.intermediate()) {
            gates = gates.select(neurons);
            ups = ups.select(neurons);
            downs = downs.selectColumns(neurons);
        }
        String gate = linear(layer, Projection.UP).multiply(graph, value + ".gate", x, gates);
        String up = linear(layer, Projection.UP).multiply(graph, value + ".up", x, ups);
        String active = value + ".silu";
        graph.node(OnnxGraph.MICROSOFT, "QuickGelu", List.of(gate), List.of(active), Map.of("alpha", 1f));
        String product = graph.standard("Mul", neurons(layer), active, up);
        return linear(layer, Projection.DOWN).multiply(graph, value, product, downs);
    }

    /** What the names of a layer's tensors begin with. */
    private String tensors(int layer) {
        return "model.layers." + kept.layers().get(layer) + ".";
    }

    /** Adds two values into {@code sum} and norms it. */
    private String addAndNorm(String a, String b, String norm, String sum, String normal) {
        graph.node(
                OnnxGraph.MICROSOFT,
                "SkipSimplifiedLayerNormalization",
                List.of(a, b, norm(norm, normal)),
                List.of(normal, "", "", sum),
                Map.of("epsilon", config.normEpsilon()));
        return normal;
    }

    private String rowsOf(String x, String name) {
        graph.node(OnnxGraph.STANDARD, "Gather", List.of(x, "rows"), List.of(name), Map.of("axis", 1L));
        return name;
    }

    /** The weights of the norm that makes {@code value}. */
    private String norm(String name, String value) {
        float[] weight =
                weights.require(name + ".weight").requireShape(config.hidden()).vector();
        Smoothing smoothing = smoothings.get(value);
        return graph.constant(
                Initializer.floats(name, smoothing == null ? weight : smoothing.smooth(weight), config.hidden()));
    }

    private Matrix matrix(String name, long rows, long columns) {
        return Matrix.of(weights.require(name + ".weight").requireShape(rows, columns));
    }
}
