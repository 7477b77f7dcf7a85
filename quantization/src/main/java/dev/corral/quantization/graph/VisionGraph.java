package dev.corral.quantization.graph;

import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Projection;
import dev.corral.quantization.recipe.Recipe;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * What a model with eyes makes of an image, up to the keys and values of the decoder's layers that look at it.
 *
 * <p>Inputs: {@code pixel_values} (tiles, 3, size, size), absent tiles all zeros; {@code aspect_ratio_id} (1) int64, the
 * number of the tiles' arrangement, from 1; {@code tiles} (1) int64, those that the image has, which are the first ones.
 * Outputs: {@code vision.C.key|value} (1, tiles * tileTokens, kvHeads * headSize), one of each for each of the decoder's
 * layers that looks; the tokens of absent tiles are the last ones.
 *
 * <p>Equal to huggingface/transformers:src/transformers/models/mllama/modeling_mllama.py, in another order of tokens: there
 * each tile is followed by its padding, here all padding comes last. The reference's mask of tokens by tokens hides
 * padding and absent tiles from each other, but neither from the image nor the image from them. So a layer has two
 * attentions without a mask: the image's tokens look at all, all others at the image's. Padding comes after the first
 * norm, and its tokens are zeros then.
 *
 * <p>The reference interleaves the outputs of the layers seen by channel; here they lie side by side, and the columns of
 * the projector are put into that order.
 */
public final class VisionGraph {

    /** Places of what the last layers before and after the padding cut and joined. */
    private static final String CONTENT = "content";

    private static final List<Long> LAST_TWO_SWAPPED = List.of(0L, 2L, 1L);

    private final MllamaConfig config;
    private final MllamaConfig.Vision vision;
    private final Checkpoint weights;
    private final MllamaConfig.Names names;
    private final Recipe recipe;
    private final OnnxGraph graph = new OnnxGraph();

    private VisionGraph(MllamaConfig config, Checkpoint weights, Recipe recipe) {
        this.config = config;
        this.vision = config.vision();
        this.weights = weights;
        this.names = MllamaConfig.Names.of(weights);
        this.recipe = recipe;
    }

    /**
     * Builds the graph; the checkpoint must stay open until the graph is written.
     *
     * @param recipe its layers are the encoder's, those with gates after the others; its embedding is that of the tiles'
     *     places; the projector and the decoder's keys and values are as most matrices
     * @throws dev.corral.quantization.recipe.RecipeException if the recipe does not fit the encoder
     */
    public static OnnxGraph build(MllamaConfig config, Checkpoint weights, Recipe recipe) {
        VisionGraph builder = new VisionGraph(config, weights, recipe);
        recipe.requireFits(builder.layerCount(), builder.vision.hidden());
        builder.encoder();
        return builder.graph;
    }

    /** The keys that a layer of the decoder looks at, counting those that look. */
    static String key(int place) {
        return "vision." + place + ".key";
    }

    static String value(int place) {
        return "vision." + place + ".value";
    }

    private void encoder() {
        graph.input("pixel_values", ElementType.FLOAT, (long) vision.tiles(), 3L, (long) vision.imageSize(), (long)
                vision.imageSize());
        graph.input("aspect_ratio_id", ElementType.INT64, 1L);
        graph.input("tiles", ElementType.INT64, 1L);
        graph.standard("Mul", CONTENT, "tiles", graph.constant(Initializer.longs("tile_tokens", vision.tileTokens())));
        graph.constant(Initializer.longs("start", 0));
        graph.constant(Initializer.longs("end", Long.MAX_VALUE));
        graph.constant(Initializer.longs("token_axis", 1));

        String x = padded(embedded());
        List<String> seen = new ArrayList<>();
        for (int layer = 0; layer < vision.layers(); layer++) {
            x = layer(layer, names.vision() + "transformer.layers." + layer + ".", x, false);
            if (vision.seen().contains(layer)) {
                seen.add(x);
            }
        }
        x = norm("post", names.vision() + "layernorm_post", x);
        x = graph.standard("Add", "post_tiles", x, places());
        for (int layer = 0; layer < vision.globalLayers(); layer++) {
            String weight = names.vision() + "global_transformer.layers." + layer + ".";
            x = layer(vision.layers() + layer, weight, x, true);
        }
        keysAndValues(projected(x, seen));
    }

    private int layerCount() {
        return vision.layers() + vision.globalLayers();
    }

    /** The tokens of all tiles (tiles, tileTokens, hidden) before the first layer. */
    private String embedded() {
        long tiles = vision.tiles();
        long hidden = vision.hidden();
        long patch = vision.patchSize();
        Tensor filters =
                weights.require(names.vision() + "patch_embedding.weight").requireShape(hidden, 3, patch, patch);
        graph.node(
                OnnxGraph.STANDARD,
                "Conv",
                List.of("pixel_values", graph.constant(floats("patches.weight", filters, hidden, 3, patch, patch))),
                List.of("patches"),
                Map.of("strides", List.of(patch, patch), "kernel_shape", List.of(patch, patch)));
        String tokens = graph.transpose(
                "patches.tokens", graph.reshape("patches.rows", "patches", tiles, hidden, -1), LAST_TWO_SWAPPED);
        String x = graph.standard(
                "Add", "pre_tiles", tokens, ofArrangement("pre_tile", "pre_tile_positional_embedding", tiles, 1));

        float[] classToken = weights.require(names.vision() + "class_embedding")
                .requireShape(hidden)
                .vector();
        float[] classes = new float[Math.toIntExact(tiles * hidden)];
        for (int i = 0; i < classes.length; i++) {
            classes[i] = classToken[i % classToken.length];
        }
        graph.node(
                OnnxGraph.STANDARD,
                "Concat",
                List.of(graph.constant(Initializer.floats("classes", classes, tiles, 1, hidden)), x),
                List.of("classed"),
                Map.of("axis", 1L));

        String gated = names.vision() + "gated_positional_embedding.";
        float open = Gate.open(weights.require(gated + "gate"));
        Tensor positions = weights.require(gated + "embedding").requireShape(vision.tileTokens(), hidden);
        x = graph.standard(
                "Add",
                "positioned",
                "classed",
                graph.constant(scaled("positions", positions, 1 - open, vision.tileTokens(), hidden)));
        x = graph.standard("Add", "tile_positioned", x, tilePositions(gated + "tile_embedding.weight", open));
        return norm("pre", names.vision() + "layernorm_pre", x);
    }

    /** What a tile's place in the arrangement means for each of its tokens: (tiles, tileTokens, hidden). */
    private String tilePositions(String name, float open) {
        long perArrangement = (long) vision.imageTokens();
        Tensor table = weights.require(name)
                .requireShape(vision.arrangements(), perArrangement * vision.hidden())
                .reshape(vision.arrangements() * perArrangement, vision.hidden());
        long[] offsets = LongStream.range(0, perArrangement).toArray();
        String first = graph.standard(
                "Mul",
                "arrangement.first",
                "aspect_ratio_id",
                graph.constant(Initializer.longs("arrangement.rows", perArrangement)));
        String rows = graph.reshape(
                "arrangement.ids",
                graph.standard(
                        "Add",
                        "arrangement.all",
                        first,
                        graph.constant(Initializer.longs("arrangement.offsets", offsets))),
                1,
                -1);
        String embedding =
                LinearLayer.of(recipe.embedding(), "image", Calibrated.NOTHING).embed(graph, rows, Matrix.of(table));
        String gated = graph.standard(
                "Mul",
                "tile_positions.gated",
                embedding,
                graph.constant(Initializer.floats("tile_positions.gate", open)));
        return graph.reshape("tile_positions", gated, vision.tiles(), vision.tileTokens(), vision.hidden());
    }

    /** What the places of tiles mean, gated: (rows, columns, hidden) of the image's arrangement. */
    private String ofArrangement(String name, String weight, long rows, long columns) {
        long width = (long) vision.tiles() * vision.hidden();
        Tensor table = weights.require(names.vision() + weight + ".embedding.weight")
                .requireShape(vision.arrangements(), width);
        float open = Gate.open(weights.require(names.vision() + weight + ".gate"));
        String all = graph.constant(scaled(name + ".weight", table, open, vision.arrangements(), width));
        String one = graph.standard("Gather", name + ".row", all, "aspect_ratio_id");
        return graph.reshape(name, one, rows, columns, vision.hidden());
    }

    /** The same for each token in the order of the layers: (1, tokens, hidden). */
    private String places() {
        String tiles = ofArrangement("post_tile", "post_tile_positional_embedding", 1, vision.tiles());
        long[] tileOf = LongStream.concat(tileOfEach(vision.tileTokens()), tileOfEach(vision.tilePadding()))
                .toArray();
        graph.node(
                OnnxGraph.STANDARD,
                "Gather",
                List.of(tiles, graph.constant(Initializer.longs("tile_of_token", tileOf))),
                List.of("post_tile.tokens"),
                Map.of("axis", 1L));
        return "post_tile.tokens";
    }

    private LongStream tileOfEach(int tokens) {
        return LongStream.range(0, (long) vision.tiles() * tokens).map(i -> i / tokens);
    }

    /** All tokens in a row, the padding of all tiles after them. */
    private String padded(String tiles) {
        long padding = (long) vision.tiles() * vision.tilePadding();
        String zeros = graph.constant(Initializer.floats(
                "padding", new float[Math.toIntExact(padding * vision.hidden())], 1, padding, vision.hidden()));
        graph.node(
                OnnxGraph.STANDARD,
                "Concat",
                List.of(graph.reshape("tokens", tiles, 1, -1, vision.hidden()), zeros),
                List.of("padded"),
                Map.of("axis", 1L));
        return "padded";
    }

    private String layer(int layer, String weight, String x, boolean gated) {
        String name = state(layer);
        String attention =
                attention(layer, weight + "self_attn.", norm(name + ".input", weight + "input_layernorm", x));
        String after = graph.standard(
                "Add", name + ".after_attention", x, gated ? gated(attention, weight + "gate_attn") : attention);
        String mlp = mlp(layer, weight + "mlp.", norm(name + ".mlp_input", weight + "post_attention_layernorm", after));
        return graph.standard("Add", name, after, gated ? gated(mlp, weight + "gate_ffn") : mlp);
    }

    /** What a layer puts out, counting those with gates after the others. */
    static String state(int layer) {
        return "layer." + layer;
    }

    private String gated(String x, String gate) {
        float open = Gate.open(weights.require(gate));
        return graph.standard("Mul", x + ".gated", x, graph.constant(Initializer.floats(gate, open)));
    }

    private String attention(int layer, String weight, String x) {
        long hidden = vision.hidden();
        String name = state(layer) + ".attention";
        String joined = linear(layer, Projection.QKV)
                .multiply(
                        graph,
                        name + ".qkv",
                        x,
                        Matrix.stack(List.of(
                                matrix(weight + "q_proj", hidden, hidden),
                                matrix(weight + "k_proj", hidden, hidden),
                                matrix(weight + "v_proj", hidden, hidden))));
        List<String> parts = List.of(name + ".q", name + ".k", name + ".v");
        graph.node(OnnxGraph.STANDARD, "Split", List.of(joined), parts, Map.of("axis", 2L, "num_outputs", 3L));
        String keys = parts.get(1);
        String values = parts.get(2);
        String content = look(name + ".content", content(parts.getFirst()), keys, values);
        String rest = look(name + ".rest", rest(parts.getFirst()), content(keys), content(values));
        graph.node(OnnxGraph.STANDARD, "Concat", List.of(content, rest), List.of(name + ".mixed"), Map.of("axis", 1L));
        return linear(layer, Projection.OUTPUT)
                .multiply(graph, name, name + ".mixed", matrix(weight + "o_proj", hidden, hidden));
    }

    private String look(String name, String queries, String keys, String values) {
        graph.node(
                OnnxGraph.MICROSOFT,
                "MultiHeadAttention",
                List.of(queries, keys, values),
                List.of(name),
                Map.of("num_heads", (long) vision.heads()));
        return name;
    }

    /** The rows of the image's own tokens. */
    private String content(String x) {
        return graph.standard("Slice", x + ".content", x, "start", CONTENT, "token_axis");
    }

    /** The rows of all other tokens. */
    private String rest(String x) {
        return graph.standard("Slice", x + ".rest", x, CONTENT, "end", "token_axis");
    }

    private String mlp(int layer, String weight, String x) {
        String name = state(layer) + ".mlp";
        long wide = vision.intermediate();
        String up = biased(
                linear(layer, Projection.UP)
                        .multiply(graph, name + ".up", x, matrix(weight + "fc1", wide, vision.hidden())),
                weight + "fc1.bias",
                wide);
        String active = graph.standard("Gelu", name + ".gelu", up);
        return biased(
                linear(layer, Projection.DOWN)
                        .multiply(graph, name + ".down", active, matrix(weight + "fc2", vision.hidden(), wide)),
                weight + "fc2.bias",
                vision.hidden());
    }

    /** The image as the decoder sees it: (1, imageTokens, the decoder's hidden). */
    private String projected(String last, List<String> seen) {
        long hidden = vision.hidden();
        long width = hidden * (1 + seen.size());
        List<String> states = new ArrayList<>();
        String imageTokens = graph.constant(Initializer.longs("image_tokens", vision.imageTokens()));
        states.add(last);
        states.addAll(seen);
        List<String> cut = states.stream()
                .map(x -> graph.standard("Slice", x + ".image", x, "start", imageTokens, "token_axis"))
                .toList();
        graph.node(OnnxGraph.STANDARD, "Concat", cut, List.of("output"), Map.of("axis", 2L));
        Matrix projector = matrix(names.projector(), config.text().hidden(), width)
                .selectColumns(columns(vision.hidden(), seen.size()));
        return biased(
                image().multiply(graph, "projector.product", "output", projector),
                names.projector() + ".bias",
                config.text().hidden());
    }

    /** The reference's columns in the order of the layers that they belong to. */
    static List<Integer> columns(int hidden, int seen) {
        return IntStream.concat(
                        IntStream.range(0, hidden),
                        IntStream.range(0, seen)
                                .flatMap(layer ->
                                        IntStream.range(0, hidden).map(channel -> hidden + channel * seen + layer)))
                .boxed()
                .toList();
    }

    private void keysAndValues(String states) {
        LlamaConfig text = config.text();
        long width = (long) text.kvHeads() * text.headSize();
        for (int place = 0; place < config.crossLayers().size(); place++) {
            String weight = names.decoder() + "layers." + config.crossLayers().get(place) + ".cross_attn.";
            String name = "vision." + place;
            String keys = image().multiply(graph, name + ".k", states, matrix(weight + "k_proj", width, text.hidden()));
            String heads = graph.reshape(name + ".k_heads", keys, 1, -1, text.kvHeads(), text.headSize());
            Tensor norm = weights.require(weight + "k_norm.weight").requireShape(text.headSize());
            graph.node(
                    OnnxGraph.STANDARD,
                    "SimplifiedLayerNormalization",
                    List.of(
                            heads,
                            graph.constant(Initializer.floats(weight + "k_norm", norm.vector(), text.headSize()))),
                    List.of(name + ".k_norm"),
                    Map.of("epsilon", text.normEpsilon()));
            graph.reshape(key(place), name + ".k_norm", 1, -1, width);
            image().multiply(graph, value(place), states, matrix(weight + "v_proj", width, text.hidden()));
            graph.output(key(place), ElementType.FLOAT, 1L, (long) vision.imageTokens(), width);
            graph.output(value(place), ElementType.FLOAT, 1L, (long) vision.imageTokens(), width);
        }
    }

    private LinearLayer linear(int layer, Projection projection) {
        Format format = recipe.format(layer, layerCount(), projection);
        return LinearLayer.of(format, "tokens", Calibrated.NOTHING);
    }

    /** How matrices are multiplied with the tokens that the decoder sees. */
    private LinearLayer image() {
        return LinearLayer.of(recipe.matrices(), "image", Calibrated.NOTHING);
    }

    private String biased(String x, String name, long width) {
        Tensor bias = weights.require(name).requireShape(width);
        return graph.standard("Add", x + ".biased", x, graph.constant(Initializer.floats(name, bias.vector(), width)));
    }

    private String norm(String name, String weight, String x) {
        String normal = name + ".norm";
        long width = vision.hidden();
        Tensor scale = weights.require(weight + ".weight").requireShape(width);
        Tensor shift = weights.require(weight + ".bias").requireShape(width);
        graph.node(
                OnnxGraph.STANDARD,
                "LayerNormalization",
                List.of(
                        x,
                        graph.constant(Initializer.floats(weight + ".weight", scale.vector(), width)),
                        graph.constant(Initializer.floats(weight + ".bias", shift.vector(), width))),
                List.of(normal),
                Map.of("epsilon", vision.normEpsilon(), "axis", -1L));
        return normal;
    }

    private static Initializer floats(String name, Tensor tensor, long... shape) {
        return scaled(name, tensor, 1, shape);
    }

    private static Initializer scaled(String name, Tensor tensor, float factor, long... shape) {
        float[] values = new float[Math.multiplyExact(tensor.rows(), tensor.columns())];
        float[] row = new float[tensor.columns()];
        for (int r = 0; r < tensor.rows(); r++) {
            tensor.row(r, row);
            for (int c = 0; c < row.length; c++) {
                values[r * row.length + c] = row[c] * factor;
            }
        }
        return Initializer.floats(name, values, shape);
    }

    private Matrix matrix(String name, long rows, long columns) {
        return Matrix.of(weights.require(name + ".weight").requireShape(rows, columns));
    }
}
