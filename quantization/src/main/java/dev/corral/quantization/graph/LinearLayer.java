package dev.corral.quantization.graph;

import dev.corral.quantization.recipe.Recipe;
import java.util.List;
import java.util.Map;

/** Multiplies by a weight matrix, in the way of a precision. */
sealed interface LinearLayer {

    /** The way of a recipe in one of the decoder's layers. */
    static LinearLayer of(Recipe recipe, int layer) {
        return switch (recipe.precision()) {
            case FP32 -> new Fp32();
            case INT8 -> new Int8(layer < recipe.fineLayers());
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
     * on the tokens that ride along, and a verdict on what was cached. Here each token's row has a scale of its own, by
     * its farthest value: the integer product of a row depends on nothing but that row.
     *
     * <p>The fine way quantises what the first 8 bits leave over once more, and adds both products: activations of 16
     * bits for twice the work. The first layers need it, where single activations are hundreds of times larger than the
     * rest (arXiv 2402.17762).
     *
     * <p>Each product has a zero point of its own, though all are 0: ONNX Runtime's rewrite for CPUs whose 8-bit
     * instructions saturate replaces them one by one.
     *
     * @param fine whether activations take 16 bits
     */
    record Int8(boolean fine) implements LinearLayer {

        private static final int EMBEDDING_BLOCK = 64;
        private static final float COARSE_STEP = 1 / 127f;
        private static final float FINE_STEP = 1 / 254f;

        @Override
        public String multiply(OnnxGraph graph, String name, String x, Matrix matrix) {
            Channels channels = new Channels(matrix);
            graph.constant(channels.int8(name + ".weight"));
            graph.constant(channels.int8Scales(name + ".scale"));
            if (!graph.computes(x + ".quantised")) {
                String farthest = graph.standard(
                        "ReduceMax",
                        x + ".farthest",
                        graph.standard("Abs", x + ".magnitude", x),
                        graph.constant(Initializer.longs("int8.last_axis", -1)));
                String range = graph.standard(
                        "Max", x + ".range", farthest, graph.constant(Initializer.floats("int8.tiny", 1e-12f)));
                quantise(graph, x, graph.standard("Mul", x + ".step", range, factor(graph, "coarse", COARSE_STEP)));
            }
            if (!fine) {
                return product(graph, name, name, x);
            }
            String rest = x + ".rest";
            if (!graph.computes(rest)) {
                graph.node(
                        OnnxGraph.STANDARD,
                        "DequantizeLinear",
                        List.of(x + ".quantised", x + ".steps", x + ".middles"),
                        List.of(x + ".rounded"),
                        Map.of("axis", 1L));
                graph.standard("Sub", rest, x, x + ".rounded");
                quantise(
                        graph,
                        rest,
                        graph.standard("Mul", rest + ".step", x + ".step", factor(graph, "fine", FINE_STEP)));
            }
            return graph.standard(
                    "Add", name, product(graph, name, name + ".coarse", x), product(graph, name, name + ".fine", rest));
        }

        /** Adds {@code x.quantised}, given the size of a step for each token. */
        private static void quantise(OnnxGraph graph, String x, String step) {
            String middle =
                    graph.constant(new Initializer("int8.middle", ElementType.UINT8, List.of(), out -> out.write(128)));
            String steps = graph.standard("Reshape", x + ".steps", step, "int8.last_axis");
            String middles =
                    graph.standard("Expand", x + ".middles", middle, graph.standard("Shape", x + ".count", steps));
            graph.node(
                    OnnxGraph.STANDARD,
                    "QuantizeLinear",
                    List.of(x, steps, middles),
                    List.of(x + ".quantised"),
                    Map.of("axis", 1L));
        }

        private static String product(OnnxGraph graph, String weight, String name, String x) {
            String integers = name + ".integers";
            graph.node(
                    OnnxGraph.MICROSOFT,
                    "MatMulIntegerToFloat",
                    List.of(
                            x + ".quantised",
                            weight + ".weight",
                            graph.constant(Initializer.floats("int8.one", 1)),
                            weight + ".scale",
                            "int8.middle",
                            graph.constant(
                                    new Initializer(name + ".zero", ElementType.INT8, List.of(), out -> out.write(0)))),
                    List.of(integers),
                    Map.of());
            return graph.standard("Mul", name, integers, x + ".step");
        }

        private static String factor(OnnxGraph graph, String name, float value) {
            return graph.constant(Initializer.floats("int8." + name, value));
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
