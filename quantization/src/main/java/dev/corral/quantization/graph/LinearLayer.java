package dev.corral.quantization.graph;

import dev.corral.quantization.recipe.Format;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/** Multiplies by a weight matrix, in the way of a precision. */
sealed interface LinearLayer {

    /**
     * The way of a format.
     *
     * @param rows a name for what has as many rows as the activations
     * @param calibrated what calibration data decided on
     */
    static LinearLayer of(Format format, String rows, Calibrated calibrated) {
        return switch (format) {
            case Format.Fp32 _ -> new Fp32();
            case Format.Fp16 _ -> new Fp16();
            case Format.Int8 int8 ->
                switch (int8.activations()) {
                    case INT8 -> new Int8(false, rows);
                    case INT16 -> new Int8(true, rows);
                    case CALIBRATED -> new SmoothInt8(rows, calibrated.smoothings());
                };
            case Format.Int4 int4 -> new Int4(int4, calibrated.rounded());
            case Format.Stored stored -> new Stored(stored, of(stored.otherwise(), rows, calibrated));
        };
    }

    /** The name of one of several products that are side by side in {@code name}. */
    static String part(String name, int number) {
        return name + "." + number;
    }

    /** Adds the product of the value {@code x} (1, tokens, columns) and the matrix: a value (1, tokens, rows). */
    String multiply(OnnxGraph graph, String name, String x, Matrix matrix);

    /** Adds the products with several matrices of one width, side by side: a value (1, tokens, rows of all). */
    default String multiply(OnnxGraph graph, String name, String x, List<Matrix> parts) {
        return multiply(graph, name, x, Matrix.stack(parts));
    }

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
            String table = graph.constant(new Rows(embedding).floats("embedding.weight"));
            return graph.standard("Gather", "embedding", table, tokens);
        }
    }

    /** Floats that are stored as halves; ONNX Runtime makes floats of a matrix when it loads it. */
    record Fp16() implements LinearLayer {

        @Override
        public String multiply(OnnxGraph graph, String name, String x, Matrix matrix) {
            String halves = graph.constant(new Channels(matrix).halves(name + ".weight"));
            return graph.standard("MatMul", name, x, floats(graph, name + ".floats", halves));
        }

        @Override
        public String embed(OnnxGraph graph, String tokens, Matrix embedding) {
            String table = graph.constant(new Rows(embedding).halves("embedding.weight"));
            return floats(graph, "embedding", graph.standard("Gather", "embedding.halves", table, tokens));
        }
    }

    /** Adds {@code name}, the halves as floats. */
    private static String floats(OnnxGraph graph, String name, String halves) {
        graph.node(OnnxGraph.STANDARD, "Cast", List.of(halves), List.of(name), Map.of("to", (long)
                ElementType.FLOAT.code()));
        return name;
    }

    /**
     * 8-bit weights with a scale a channel, 8-bit activations with a scale a token.
     *
     * <p>{@code DynamicQuantizeMatMul} would scale a whole tensor by its extremes, so that a token's result would depend
     * on the tokens that ride along, and a verdict on what was cached. Here each token's row has a scale of its own, by
     * its farthest value: the integer product of a row depends on nothing but that row.
     *
     * <p>The fine way quantises what the first 8 bits leave over once more, multiplies both as rows of one matrix and
     * adds them up: activations of 16 bits for twice the work. The first layers need it, where single activations are
     * hundreds of times larger than the rest (arXiv 2402.17762).
     *
     * <p>Each weight and each zero point, though all of those are 0, belongs to one product only: ONNX Runtime's rewrite
     * for CPUs whose 8-bit instructions saturate replaces them one by one.
     *
     * <p>A row of zeros has a step of zero: whatever its numbers are then, their product with the step is zero.
     *
     * @param fine whether activations take 16 bits
     * @param rows a name for what has as many rows as the activations: their zero points are made once
     */
    record Int8(boolean fine, String rows) implements LinearLayer {

        private static final int EMBEDDING_BLOCK = 64;
        private static final float COARSE_STEP = 1 / 127f;
        private static final float FINE_STEP = 1 / 254f;

        @Override
        public String multiply(OnnxGraph graph, String name, String x, Matrix matrix) {
            if (!graph.computes(x + ".quantised")) {
                quantise(graph, x);
            }
            String integers = product(graph, name, ".integers", x, number(graph, "one", 1), matrix);
            if (!fine) {
                return graph.standard("Mul", name, integers, x + ".step");
            }
            String both = graph.standard("Mul", name + ".both", integers, x + ".step");
            String parts = name + ".parts";
            graph.node(
                    OnnxGraph.STANDARD,
                    "Split",
                    List.of(both),
                    List.of(parts + ".0", parts + ".1"),
                    Map.of("axis", 1L, "num_outputs", 2L));
            return graph.standard("Add", name, parts + ".0", parts + ".1");
        }

        /** Adds the product of {@code x.quantised}, in steps of one size, and the matrix. */
        private static String product(
                OnnxGraph graph, String name, String suffix, String x, String step, Matrix matrix) {
            Channels channels = new Channels(matrix);
            graph.node(
                    OnnxGraph.MICROSOFT,
                    "MatMulIntegerToFloat",
                    List.of(
                            x + ".quantised",
                            graph.constant(channels.int8(name + ".weight")),
                            step,
                            graph.constant(channels.int8Scales(name + ".scale")),
                            middle(graph),
                            graph.constant(
                                    new Initializer(name + ".zero", ElementType.INT8, List.of(), out -> out.write(0)))),
                    List.of(name + suffix),
                    Map.of());
            return name + suffix;
        }

        private static String middle(OnnxGraph graph) {
            return graph.constant(new Initializer("int8.middle", ElementType.UINT8, List.of(), out -> out.write(128)));
        }

        /** Adds {@code x.quantised} and the size of its steps {@code x.step}, one a row. */
        private void quantise(OnnxGraph graph, String x) {
            String farthest = graph.standard(
                    "ReduceMax",
                    x + ".farthest",
                    graph.standard("Abs", x + ".magnitude", x),
                    graph.constant(Initializer.longs("int8.last_axis", -1)));
            String coarse = fine ? x + ".coarse" : x;
            graph.standard("Mul", coarse + ".step", farthest, number(graph, "coarse", COARSE_STEP));
            round(graph, x, coarse);
            if (fine) {
                String rest = x + ".rest";
                graph.node(
                        OnnxGraph.STANDARD,
                        "DequantizeLinear",
                        List.of(coarse + ".quantised", coarse + ".steps", rows + ".middles"),
                        List.of(coarse + ".rounded"),
                        Map.of("axis", 1L));
                graph.standard("Sub", rest, x, coarse + ".rounded");
                graph.standard("Mul", rest + ".step", coarse + ".step", number(graph, "fine", FINE_STEP));
                round(graph, rest, rest);
                concatenate(graph, coarse + ".quantised", rest + ".quantised", x + ".quantised");
                concatenate(graph, coarse + ".step", rest + ".step", x + ".step");
            }
        }

        /** Adds {@code name.quantised}, the rows of {@code x} in steps of {@code name.step}. */
        private void round(OnnxGraph graph, String x, String name) {
            String middle = middle(graph);
            String steps = graph.standard("Reshape", name + ".steps", name + ".step", "int8.last_axis");
            String middles = rows + ".middles";
            if (!graph.computes(middles)) {
                graph.standard("Expand", middles, middle, graph.standard("Shape", rows + ".count", steps));
            }
            graph.node(
                    OnnxGraph.STANDARD,
                    "QuantizeLinear",
                    List.of(x, steps, middles),
                    List.of(name + ".quantised"),
                    Map.of("axis", 1L));
        }

        private static void concatenate(OnnxGraph graph, String first, String second, String out) {
            graph.node(OnnxGraph.STANDARD, "Concat", List.of(first, second), List.of(out), Map.of("axis", 1L));
        }

        private static String number(OnnxGraph graph, String name, float value) {
            return graph.constant(Initializer.floats("int8." + name, value));
        }

        @Override
        public String embed(OnnxGraph graph, String tokens, Matrix embedding) {
            int block = Math.min(EMBEDDING_BLOCK, Integer.lowestOneBit(embedding.columns()));
            Blocks blocks = new Blocks(embedding, 8, block, Format.Scales.RANGE);
            String weights =
                    graph.constant(blocks.signedWeights("embedding.weight", embedding.rows(), blocks.perRow(), block));
            String scales = graph.constant(blocks.scales("embedding.scale", embedding.rows(), blocks.perRow(), 1));
            graph.node(
                    OnnxGraph.STANDARD,
                    "Cast",
                    List.of(graph.standard("Gather", "embedding.numbers", weights, tokens)),
                    List.of("embedding.floats"),
                    Map.of("to", (long) ElementType.FLOAT.code()));
            graph.standard(
                    "Mul",
                    "embedding.blocks",
                    "embedding.floats",
                    graph.standard("Gather", "embedding.scales", scales, tokens));
            String shape = graph.constant(Initializer.longs("embedding.shape", 1, -1, embedding.columns()));
            return graph.standard("Reshape", "embedding", "embedding.blocks", shape);
        }
    }

    /**
     * 8-bit weights with a scale a channel, and where a norm precedes the product 8-bit activations in steps of one size,
     * which calibration data decided on: nothing is left to do for a row but to round it; see {@link Smoothing}. What
     * follows no norm, and so has no smoothing, is multiplied as {@link Int8} does it.
     *
     * @param rows a name for what has as many rows as the activations
     * @param smoothings by the value that is multiplied
     */
    record SmoothInt8(String rows, Map<String, Smoothing> smoothings) implements LinearLayer {

        @Override
        public String multiply(OnnxGraph graph, String name, String x, Matrix matrix) {
            Smoothing smoothing = smoothings.get(x);
            if (smoothing == null) {
                return perToken().multiply(graph, name, x, matrix);
            }
            String step = graph.constant(Initializer.floats(x + ".step", smoothing.step()));
            if (!graph.computes(x + ".quantised")) {
                graph.standard("QuantizeLinear", x + ".quantised", x, step, Int8.middle(graph));
            }
            return Int8.product(graph, name, "", x, step, smoothing.rough(matrix));
        }

        @Override
        public String embed(OnnxGraph graph, String tokens, Matrix embedding) {
            return perToken().embed(graph, tokens, embedding);
        }

        private Int8 perToken() {
            return new Int8(false, rows);
        }
    }

    /**
     * 4-bit weights with a scale a block. {@code MatMulNBits} quantises each token's row itself, block by block (accuracy
     * level 4), or leaves it as it is (level 1). Scales are stored as halves, of which ONNX Runtime makes floats when it
     * loads a matrix.
     *
     * @param rounded the calibrated matrices by name
     */
    record Int4(Format.Int4 format, Map<String, RoundedMatrix> rounded) implements LinearLayer {

        private static final int BITS = 4;

        @Override
        public String multiply(OnnxGraph graph, String name, String x, Matrix matrix) {
            int perRow = Math.ceilDiv(matrix.columns(), format.blockSize());
            long[] scalesShape = {(long) matrix.rows() * perRow};
            long[] weightsShape = {matrix.rows(), perRow, format.blockSize() / 2};
            Initializer scales;
            Initializer weights;
            if (format.calibrated()) {
                RoundedMatrix found = Objects.requireNonNull(rounded.get(name), name);
                scales = found.halfScales(name + ".scale", scalesShape);
                weights = found.weights(name + ".weight", weightsShape);
            } else {
                scales = blocks(matrix).halfScales(name + ".scale", scalesShape);
                weights = blocks(matrix).weights(name + ".weight", weightsShape);
            }
            multiplyBlocks(
                    graph, name, x, matrix, weights, scales, BITS, format.blockSize(), format.exactActivations());
            return name;
        }

        @Override
        public String embed(OnnxGraph graph, String tokens, Matrix embedding) {
            Blocks blocks = blocks(embedding);
            long bytes = (long) blocks.perRow() * format.blockSize() / 2;
            String scales = graph.constant(blocks.halfScales("embedding.scale", embedding.rows(), blocks.perRow()));
            String weights = graph.constant(blocks.weights("embedding.weight", embedding.rows(), bytes));
            gatherBlocks(graph, "embedding.halves", tokens, weights, scales, BITS, format.blockSize());
            return floats(graph, "embedding", "embedding.halves");
        }

        private Blocks blocks(Matrix matrix) {
            return new Blocks(matrix, BITS, format.blockSize(), format.scales());
        }
    }

    /**
     * Plain floats, and for each value that matrices are multiplied with one more output: how far each of its columns
     * reaches from zero (columns).
     *
     * @param seen gets what was multiplied
     */
    record Ranged(List<InputRanges.Ranged> seen) implements LinearLayer {

        @Override
        public String multiply(OnnxGraph graph, String name, String x, Matrix matrix) {
            String range = x + ".range";
            if (!graph.computes(range)) {
                String allTokens = graph.constant(Initializer.longs("range.axes", 0, 1));
                graph.node(
                        OnnxGraph.STANDARD,
                        "ReduceMax",
                        List.of(graph.standard("Abs", x + ".magnitude", x), allTokens),
                        List.of(range),
                        Map.of("keepdims", 0L));
                graph.output(range, ElementType.FLOAT, (long) matrix.columns());
            }
            seen.add(new InputRanges.Ranged(x, range, matrix));
            return new Fp32().multiply(graph, name, x, matrix);
        }

        @Override
        public String embed(OnnxGraph graph, String tokens, Matrix embedding) {
            throw new IllegalStateException("an embedding multiplies nothing");
        }
    }

    /**
     * The numbers and scales that the matrix was stored as, and another way for matrices that were stored as something
     * else. Offsets of blocks meet the sums of a block's inputs: Σ (sq + o) x = s Σ qx + o Σ x.
     */
    record Stored(Format.Stored format, LinearLayer otherwise) implements LinearLayer {

        @Override
        public String multiply(OnnxGraph graph, String name, String x, Matrix matrix) {
            return matrix.quantised()
                    .map(stored -> multiply(graph, name, x, new StoredBlocks(matrix, stored)))
                    .orElseGet(() -> otherwise.multiply(graph, name, x, matrix));
        }

        /** As one product where all parts were stored alike; otherwise each by itself, named by its number. */
        @Override
        public String multiply(OnnxGraph graph, String name, String x, List<Matrix> parts) {
            Matrix all = Matrix.stack(parts);
            if (all.quantised().isPresent()
                    || parts.stream().allMatch(part -> part.quantised().isEmpty())) {
                return multiply(graph, name, x, all);
            }
            List<String> products = IntStream.range(0, parts.size())
                    .mapToObj(i -> multiply(graph, part(name, i), x, parts.get(i)))
                    .toList();
            graph.node(OnnxGraph.STANDARD, "Concat", products, List.of(name), Map.of("axis", 2L));
            return name;
        }

        private String multiply(OnnxGraph graph, String name, String x, StoredBlocks blocks) {
            Matrix matrix = blocks.matrix();
            boolean offsets = blocks.stored().layout().offsets();
            String product = offsets ? name + ".scaled" : name;
            multiplyBlocks(
                    graph,
                    product,
                    x,
                    matrix,
                    blocks.weights(product + ".weight", matrix.rows(), blocks.perRow(), blocks.blockBytes()),
                    blocks.scales(product + ".scale", (long) matrix.rows() * blocks.perRow()),
                    blocks.bits(),
                    blocks.size(),
                    format.exactActivations());
            return offsets
                    ? graph.standard(
                            "Add",
                            name,
                            product,
                            graph.standard(
                                    "MatMul",
                                    name + ".shift",
                                    sums(graph, x, blocks),
                                    graph.constant(blocks.offsets(name + ".offset"))))
                    : name;
        }

        /** The sums of each token's inputs (1, tokens, blocks). */
        private static String sums(OnnxGraph graph, String x, StoredBlocks blocks) {
            String sums = x + ".sums." + blocks.size();
            if (!graph.computes(sums)) {
                String shape =
                        graph.constant(Initializer.longs(sums + ".shape", 1, -1, blocks.perRow(), blocks.size()));
                String split = graph.standard("Reshape", sums + ".blocks", x, shape);
                String axis = graph.constant(Initializer.longs("stored.last_axis", -1));
                graph.node(
                        OnnxGraph.STANDARD, "ReduceSum", List.of(split, axis), List.of(sums), Map.of("keepdims", 0L));
            }
            return sums;
        }

        @Override
        public String embed(OnnxGraph graph, String tokens, Matrix embedding) {
            return embedding
                    .quantised()
                    .filter(stored -> !stored.layout().offsets())
                    .map(stored -> embed(graph, tokens, new StoredBlocks(embedding, stored)))
                    .orElseGet(() -> otherwise.embed(graph, tokens, embedding));
        }

        private static String embed(OnnxGraph graph, String tokens, StoredBlocks blocks) {
            int rows = blocks.matrix().rows();
            long bytes = (long) blocks.perRow() * blocks.blockBytes();
            String weights = graph.constant(blocks.weights("embedding.weight", rows, bytes));
            String scales = floats(graph, blocks.scales("embedding.scale", rows, blocks.perRow()));
            gatherBlocks(graph, "embedding", tokens, weights, scales, blocks.bits(), blocks.size());
            return "embedding";
        }
    }

    /** The constant as floats, whichever floats it is stored as. */
    private static String floats(OnnxGraph graph, Initializer constant) {
        String name = graph.constant(constant);
        return constant.type() == ElementType.FLOAT ? name : floats(graph, name + ".floats", name);
    }

    /**
     * Adds {@code name}, the product with weights in blocks.
     *
     * @param exactActivations whether {@code MatMulNBits} leaves the activations as they are (accuracy level 1), or makes
     *     8 bits of them, block by block (level 4)
     */
    private static void multiplyBlocks(
            OnnxGraph graph,
            String name,
            String x,
            Matrix matrix,
            Initializer weights,
            Initializer scales,
            int bits,
            int blockSize,
            boolean exactActivations) {
        long accuracy = exactActivations ? 1 : 4;
        graph.node(
                OnnxGraph.MICROSOFT,
                "MatMulNBits",
                List.of(x, graph.constant(weights), floats(graph, scales)),
                List.of(name),
                Map.of(
                        "K",
                        (long) matrix.columns(),
                        "N",
                        (long) matrix.rows(),
                        "bits",
                        (long) bits,
                        "block_size",
                        (long) blockSize,
                        "accuracy_level",
                        accuracy));
    }

    /** Adds {@code name}, the rows for {@code tokens} of a table in blocks: of the type of its scales. */
    private static void gatherBlocks(
            OnnxGraph graph, String name, String tokens, String weights, String scales, int bits, int blockSize) {
        graph.node(
                OnnxGraph.MICROSOFT,
                "GatherBlockQuantized",
                List.of(weights, tokens, scales),
                List.of(name),
                Map.of("bits", (long) bits, "block_size", (long) blockSize, "gather_axis", 0L, "quantize_axis", 1L));
    }

    /**
     * Plain floats, and for each value that matrices are multiplied with one more output: the products of its columns
     * with each other (columns, columns).
     *
     * @param seen gets what was multiplied
     */
    record Watched(Format.Int4 format, List<InputProducts.Watched> seen) implements LinearLayer {

        @Override
        public String multiply(OnnxGraph graph, String name, String x, Matrix matrix) {
            String products = x + ".products";
            if (!graph.computes(products)) {
                String shape = graph.constant(Initializer.longs(x + ".shape", -1, matrix.columns()));
                String tokens = graph.standard("Reshape", x + ".tokens", x, shape);
                graph.node(
                        OnnxGraph.STANDARD, "Gemm", List.of(tokens, tokens), List.of(products), Map.of("transA", 1L));
                graph.output(products, ElementType.FLOAT, (long) matrix.columns(), (long) matrix.columns());
            }
            seen.add(new InputProducts.Watched(name, products, matrix, format.blockSize()));
            return new Fp32().multiply(graph, name, x, matrix);
        }

        @Override
        public String embed(OnnxGraph graph, String tokens, Matrix embedding) {
            throw new IllegalStateException("an embedding multiplies nothing");
        }
    }
}
