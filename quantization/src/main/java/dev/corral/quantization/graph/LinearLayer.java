package dev.corral.quantization.graph;

import dev.corral.quantization.recipe.Recipe;
import java.util.List;
import java.util.Map;

/** Multiplies by a weight matrix, in the way of a precision. */
sealed interface LinearLayer {

    /** The way of a recipe. */
    static LinearLayer of(Recipe recipe) {
        return switch (recipe.precision()) {
            case FP32 -> new Fp32();
            case INT8 -> new Int8();
            case INT4 -> new Int4(recipe.blockSize());
        };
    }

    /** Adds the product of the value {@code x} (1, tokens, columns) and the matrix: a value (1, tokens, rows). */
    String multiply(OnnxGraph graph, String name, String x, Matrix matrix);

    /** Adds the rows of the embedding for {@code tokens} (1, n): a value (1, n, columns). */
    String embed(OnnxGraph graph, String tokens, Matrix embedding);

    /** Plain floats. */
    record Fp32() implements LinearLayer {

        @Override
        public String multiply(OnnxGraph graph, String name, String x, Matrix matrix) {
            return graph.standard("MatMul", name, x, graph.constant(new Channels(matrix).floats(name + ".weight")));
        }

        @Override
        public String embed(OnnxGraph graph, String tokens, Matrix embedding) {
            Initializer table = new Initializer(
                    "embedding.weight",
                    ElementType.FLOAT,
                    Initializer.dimensions(embedding.rows(), embedding.columns()),
                    out -> {
                        float[] row = new float[embedding.columns()];
                        for (int r = 0; r < embedding.rows(); r++) {
                            embedding.row(r, row);
                            Initializer.floats("", row, row.length).source().writeTo(out);
                        }
                    });
            return graph.standard("Gather", "embedding", graph.constant(table), tokens);
        }
    }

    /**
     * 8-bit weights with a scale a channel, 8-bit activations with a scale a token.
     *
     * <p>{@code DynamicQuantizeMatMul} would scale a whole tensor by its extremes, so that a token's result would depend
     * on the tokens that ride along, and a verdict on what was cached. Here each token's row is divided by its own
     * farthest value and then quantised with a fixed scale: the integer product of a row depends on nothing but that row.
     * Weights are stored unsigned, around 128: ONNX Runtime multiplies unsigned numbers exactly on every x64 CPU, while
     * its signed way saturates where the CPU has no VNNI.
     */
    record Int8() implements LinearLayer {

        private static final float STEP = 1 / 127f;
        private static final int EMBEDDING_BLOCK = 64;

        @Override
        public String multiply(OnnxGraph graph, String name, String x, Matrix matrix) {
            Channels channels = new Channels(matrix);
            String step = graph.constant(Initializer.floats("int8.step", new float[] {STEP}));
            String middle =
                    graph.constant(new Initializer("int8.middle", ElementType.UINT8, List.of(), out -> out.write(128)));
            String lastAxis = graph.constant(Initializer.longs("int8.last_axis", -1));
            String tiny = graph.constant(Initializer.floats("int8.tiny", new float[] {1e-12f}));

            String magnitude = graph.standard("Abs", name + ".magnitude", x);
            String farthest = graph.standard("ReduceMax", name + ".farthest", magnitude, lastAxis);
            String range = graph.standard("Max", name + ".range", farthest, tiny);
            String normal = graph.standard("Div", name + ".normal", x, range);
            String quantised = graph.standard("QuantizeLinear", name + ".quantised", normal, step, middle);
            String product = name + ".integers";
            graph.node(
                    OnnxGraph.MICROSOFT,
                    "MatMulIntegerToFloat",
                    List.of(
                            quantised,
                            graph.constant(channels.uint8(name + ".weight")),
                            step,
                            graph.constant(channels.int8Scales(name + ".scale")),
                            middle,
                            middle),
                    List.of(product),
                    Map.of());
            return graph.standard("Mul", name, product, range);
        }

        @Override
        public String embed(OnnxGraph graph, String tokens, Matrix embedding) {
            return gatherBlocks(graph, tokens, new Blocks(embedding, 8, EMBEDDING_BLOCK));
        }
    }

    /** 4-bit weights with a scale a block; {@code MatMulNBits} quantises each token's row itself (accuracy level 4). */
    record Int4(int blockSize) implements LinearLayer {

        private static final long ACCURACY_INT8 = 4;
        private static final int EMBEDDING_BLOCK = 32;

        @Override
        public String multiply(OnnxGraph graph, String name, String x, Matrix matrix) {
            Blocks blocks = new Blocks(matrix, 4, blockSize);
            graph.node(
                    OnnxGraph.MICROSOFT,
                    "MatMulNBits",
                    List.of(
                            x,
                            graph.constant(
                                    blocks.weights(name + ".weight", matrix.rows(), blocks.perRow(), blockSize / 2)),
                            graph.constant(blocks.scales(name + ".scale", (long) matrix.rows() * blocks.perRow()))),
                    List.of(name),
                    Map.of(
                            "K", (long) matrix.columns(),
                            "N", (long) matrix.rows(),
                            "bits", 4L,
                            "block_size", (long) blockSize,
                            "accuracy_level", ACCURACY_INT8));
            return name;
        }

        @Override
        public String embed(OnnxGraph graph, String tokens, Matrix embedding) {
            return gatherBlocks(graph, tokens, new Blocks(embedding, 4, EMBEDDING_BLOCK));
        }
    }

    private static String gatherBlocks(OnnxGraph graph, String tokens, Blocks blocks) {
        Matrix embedding = blocks.matrix();
        graph.node(
                OnnxGraph.MICROSOFT,
                "GatherBlockQuantized",
                List.of(
                        graph.constant(blocks.weights(
                                "embedding.weight", embedding.rows(), (long) embedding.columns() * blocks.bits() / 8)),
                        tokens,
                        graph.constant(blocks.scales("embedding.scale", embedding.rows(), blocks.perRow()))),
                List.of("embedding"),
                Map.of(
                        "bits",
                        (long) blocks.bits(),
                        "block_size",
                        (long) blocks.size(),
                        "gather_axis",
                        0L,
                        "quantize_axis",
                        1L));
        return "embedding";
    }
}
