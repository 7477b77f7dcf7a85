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
 *
 * <p>A decoder that sees an image has layers without a past: they look at the image, as {@link VisionGraph} gives it.
 * Further inputs: {@code vision.C.key|value} (1, v, kvHeads * headSize), one of each for each such layer, and
 * {@code image_seen} (), 1 where the tokens come at the image or after it, else 0. L counts the layers with a past only.
 *
 * <p>The reference has a mask here, a row for each token and a column for each token of the image
 * (huggingface/transformers:src/transformers/models/mllama/modeling_mllama.py, {@code _prepare_cross_attention_mask}):
 * tokens from the image on look at the tiles that the image has. Tokens before it have all columns masked, which it takes
 * for none masked: they look at all tiles, absent ones too, but their MLP is left out. So the rows of the mask are of two
 * kinds, and each kind is one step of its own: the first gets all of the image's tokens and 0, the second the tokens of
 * its tiles, which are the first ones, and 1. Without an image the layers are left out: a single token of zeros, and 0.
 */
public final class LlamaGraph {

    private static final String IMAGE_SEEN = "image_seen";

    /** The axes of (1, tokens, key heads, query heads of each, head size) with the heads exchanged. */
    private static final List<Long> SWAPPED_HEADS = List.of(0L, 1L, 3L, 2L, 4L);

    private final LlamaConfig config;
    private final Checkpoint weights;
    private final Recipe recipe;
    private final Kept kept;
    private final int layers;
    private final Way way;
    private final String prefix;
    private final List<Integer> crossLayers;
    private final Map<String, Smoothing> smoothings;
    private final OnnxGraph graph = new OnnxGraph();

    private LlamaGraph(
            LlamaConfig config,
            Checkpoint weights,
            Recipe recipe,
            Kept kept,
            int layers,
            Way way,
            Map<String, Smoothing> smoothings,
            String prefix,
            List<Integer> crossLayers) {
        this.config = config;
        this.weights = weights;
        this.recipe = recipe;
        this.kept = kept;
        this.layers = layers;
        this.way = way;
        this.smoothings = smoothings;
        this.prefix = prefix;
        this.crossLayers = crossLayers;
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
        return build(
                new LlamaGraph(
                        config,
                        weights,
                        recipe,
                        kept,
                        kept.layers().size(),
                        way,
                        calibrated.smoothings(),
                        "model.",
                        List.of()),
                head);
    }

    /** The first layers of a decoder, and the head right after them. */
    static OnnxGraph build(
            LlamaConfig config, Checkpoint weights, Recipe recipe, Matrix head, Kept kept, int layers, Way way) {
        return build(new LlamaGraph(config, weights, recipe, kept, layers, way, Map.of(), "model.", List.of()), head);
    }

    /**
     * Builds the graph of a decoder that sees an image; the checkpoint must stay open until the graph is written.
     *
     * @param head the rows of the output that are kept, in order; always fp32
     * @throws dev.corral.quantization.recipe.RecipeException if the recipe does not fit the decoder
     */
    public static OnnxGraph build(MllamaConfig config, Checkpoint weights, Recipe recipe, Matrix head) {
        LlamaConfig text = config.text();
        Way way = (_, _, format, rows) -> LinearLayer.of(format, rows, Calibrated.NOTHING);
        String prefix = MllamaConfig.Names.of(weights).decoder();
        return build(
                new LlamaGraph(
                        text,
                        weights,
                        recipe,
                        Kept.all(text),
                        text.layers(),
                        way,
                        Map.of(),
                        prefix,
                        config.crossLayers()),
                head);
    }

    private static OnnxGraph build(LlamaGraph builder, Matrix head) {
        builder.recipe.requireFits(builder.kept.layers().size(), builder.config.hidden());
        builder.decoder(head, Math.min(builder.recipe.contextTokens(), builder.config.maxPositions()));
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
        if (!crossLayers.isEmpty()) {
            graph.input(IMAGE_SEEN, ElementType.FLOAT);
        }
        RotaryTable rotary = new RotaryTable(config, positions);
        graph.constant(stored(RotaryTable.COSINES, positions).orElseGet(rotary::cosines));
        graph.constant(stored(RotaryTable.SINES, positions).orElseGet(rotary::sines));

        String residual =
                embedding().embed(graph, tokens, matrix(prefix + "embed_tokens", config.vocabulary(), config.hidden()));
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
            boolean looks = crossLayers.contains(kept.layers().get(layer));
            String attention = looks ? crossAttention(layer, normal) : attention(layer, normal);
            if (layer == layers - 1) {
                // what follows the last attention looks at one token at a time: only the wanted rows go on
                attention = rowsOf(attention, value + "attention.rows");
                residual = rowsOf(residual, value + "residual.rows");
            }
            String mixed = linear(layer, Projection.OUTPUT)
                    .multiply(
                            graph,
                            value + "attention.output",
                            attention,
                            matrix(
                                    weight + (looks ? "cross_attn" : "self_attn") + ".o_proj",
                                    config.hidden(),
                                    (long) config.heads() * config.headSize()));
            if (looks) {
                mixed = graph.standard("Mul", value + "attention.gated", mixed, gate(weight + "cross_attn_attn_gate"));
            }
            String afterAttention = value + "after_attention";
            String mlpInput = addAndNorm(
                    residual, mixed, weight + "post_attention_layernorm", afterAttention, value + "mlp_norm");
            String next = layer + 1 < kept.layers().size() ? tensors(layer + 1) + "input_layernorm" : prefix + "norm";
            residual = stateBefore(layer + 1);
            String mlp = mlp(layer, mlpInput);
            if (looks) {
                String open =
                        graph.standard("Mul", value + "mlp.open", IMAGE_SEEN, gate(weight + "cross_attn_mlp_gate"));
                mlp = graph.standard("Mul", value + "mlp.gated", mlp, open);
            }
            normal = addAndNorm(afterAttention, mlp, next, residual, value + "next_norm");
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
        String queryKeyValue = linear(layer, Projection.QKV)
                .multiply(
                        graph,
                        value + ".qkv",
                        x,
                        List.of(
                                matrix(weight + "q_proj", (long) config.heads() * config.headSize(), config.hidden()),
                                matrix(weight + "k_proj", kvWidth, config.hidden()),
                                matrix(weight + "v_proj", kvWidth, config.hidden())));
        Object[] cache = {1L, (long) config.kvHeads(), "capacity", (long) config.headSize()};
        int place = layer - crossLayersBefore(layer);
        String pastKey = graph.input("past_key_values." + place + ".key", ElementType.FLOAT, cache);
        String pastValue = graph.input("past_key_values." + place + ".value", ElementType.FLOAT, cache);
        String presentKey = "present." + place + ".key";
        String presentValue = "present." + place + ".value";
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

    private int crossLayersBefore(int layer) {
        return (int) crossLayers.stream()
                .filter(cross -> cross < kept.layers().get(layer))
                .count();
    }

    /**
     * What a layer sees of the image. The query heads that share a key head become rows of one head, so that keys and
     * values are not copied for each.
     */
    private String crossAttention(int layer, String x) {
        String weight = tensors(layer) + "cross_attn.";
        String value = "layer." + layer + ".attention";
        long kvHeads = config.kvHeads();
        long group = config.heads() / config.kvHeads();
        long size = config.headSize();
        String queries = linear(layer, Projection.QKV)
                .multiply(graph, value + ".q", x, matrix(weight + "q_proj", kvHeads * group * size, config.hidden()));
        String heads = value + ".q_norm";
        graph.node(
                OnnxGraph.STANDARD,
                "SimplifiedLayerNormalization",
                List.of(
                        graph.reshape(value + ".q_heads", queries, 1, -1, kvHeads, group, size),
                        headNorm(weight + "q_norm")),
                List.of(heads),
                Map.of("epsilon", config.normEpsilon()));
        String rows = graph.reshape(
                value + ".q_rows", graph.transpose(value + ".q_turned", heads, SWAPPED_HEADS), 1, -1, kvHeads * size);
        int place = crossLayersBefore(layer);
        String key = graph.input(VisionGraph.key(place), ElementType.FLOAT, 1L, "vision_tokens", kvHeads * size);
        String values = graph.input(VisionGraph.value(place), ElementType.FLOAT, 1L, "vision_tokens", kvHeads * size);
        graph.node(
                OnnxGraph.MICROSOFT,
                "MultiHeadAttention",
                List.of(rows, key, values),
                List.of(value + ".seen"),
                Map.of("num_heads", kvHeads));
        String seen = graph.reshape(value + ".seen_rows", value + ".seen", 1, -1, group, kvHeads, size);
        return graph.reshape(
                value, graph.transpose(value + ".seen_heads", seen, SWAPPED_HEADS), 1, -1, kvHeads * group * size);
    }

    private String gate(String name) {
        return graph.constant(Initializer.floats(name, Gate.open(weights.require(name))));
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
        return prefix + "layers." + kept.layers().get(layer) + ".";
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

    private String headNorm(String name) {
        Tensor tensor = weights.require(name + ".weight").requireShape(config.headSize());
        return graph.constant(Initializer.floats(name, tensor.vector(), config.headSize()));
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
