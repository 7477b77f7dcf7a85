package dev.corral.benchmarks.products;

import dev.corral.benchmarks.products.OnnxFile.Node;
import dev.corral.benchmarks.products.OnnxFile.TypedShape;
import dev.corral.guardmodels.onnx.BareGraph;
import dev.corral.guardmodels.onnx.Resources;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * All products with a weight matrix that a model's pass is made of, by the same operators, with the same weights and the
 * same numbers of rows, and nothing else: no attention, no norms, no quantisation that an operator of its own does. Run
 * through the same runtime, they tell the least time that the pass can take.
 *
 * <p>The graph is cut out of the model file: whatever the recipe, a node that multiplies by constants stays, and reads an
 * input of the graph in place of what was computed for it. How many rows that has is asked of the runtime, for a pass of
 * few tokens whose number divides nothing else.
 */
public final class Products implements AutoCloseable {

    /** Long texts are read in steps of so many tokens. */
    private static final int STEP_TOKENS = 256;

    private static final long PROBE_TOKENS = 11;
    private static final long PROBE_ROWS = 7;
    private static final long PROBE_REST = 13;

    private static final Map<String, Integer> TYPES = Map.of("FLOAT", 1, "UINT8", 2, "INT8", 3, "FLOAT16", 10);

    private final BareGraph graph;
    private final List<Activation> activations;
    private final int count;

    private Products(BareGraph graph, List<Activation> activations, int count) {
        this.graph = graph;
        this.activations = activations;
        this.count = count;
    }

    /**
     * What products read.
     *
     * @param byTokens rows for each token of the pass
     * @param byRows rows for each wanted row of the pass
     * @param varying the dimension that has these rows
     */
    private record Activation(String name, TypedShape value, long byTokens, long byRows, int varying) {

        List<Long> shape(int tokens, int rows) {
            List<Long> shape = new ArrayList<>(value.shape());
            shape.set(varying, byTokens * tokens + byRows * rows);
            return shape;
        }
    }

    /**
     * Cuts the products out of a model.
     *
     * @param model a file that {@code corral quantize} wrote; its external data, where it has any, lies beside it
     * @param resources as of the model itself
     */
    public static Products of(Path model, Resources resources) throws IOException {
        Path folder = Objects.requireNonNullElse(model.getParent(), Path.of(""));
        try (Arena arena = Arena.ofConfined()) {
            OnnxFile file = OnnxFile.map(model, arena);
            List<Node> products =
                    file.nodes().stream().filter(node -> isProduct(file, node)).toList();
            if (products.isEmpty()) {
                throw new IOException(model + " has no products with constant weights");
            }
            Set<String> read = new TreeSet<>();
            products.forEach(node -> node.inputs().stream()
                    .filter(input -> !input.isEmpty() && !file.isConstant(input))
                    .forEach(read::add));
            Map<String, BareGraph.Value> values = BareGraph.outputs(
                    file.withOutputs(read, Map.of("tokens", PROBE_TOKENS, "rows", PROBE_ROWS), PROBE_REST), folder);
            Map<BareGraph.Value, Activation> activations = new LinkedHashMap<>();
            Map<String, String> renamed = new HashMap<>();
            values.forEach((name, value) -> {
                Activation activation = activations.computeIfAbsent(
                        value, shape -> activation("activation." + activations.size(), shape));
                renamed.put(name, activation.name);
            });
            Map<String, TypedShape> inputs = new LinkedHashMap<>();
            activations.values().forEach(activation -> inputs.put(activation.name, activation.value));
            byte[] graph = file.withNodes(
                    products, renamed, inputs, products.getLast().outputs().getFirst());
            return new Products(
                    BareGraph.load(graph, folder, resources), List.copyOf(activations.values()), products.size());
        }
    }

    private static boolean isProduct(OnnxFile file, Node node) {
        return (node.operator().contains("MatMul") || node.operator().equals("Gemm"))
                && node.inputs().stream().anyMatch(input -> !input.isEmpty() && !file.isConstant(input))
                && node.inputs().stream().anyMatch(file::isConstant);
    }

    private static Activation activation(String name, BareGraph.Value value) {
        Integer type = TYPES.get(value.type());
        if (type == null) {
            throw new IllegalArgumentException("products of elements of type " + value.type() + " are not known");
        }
        List<Long> shape = new ArrayList<>(value.shape());
        // the last dimension is what is multiplied, the one before it counts rows
        int varying = shape.size() - 2;
        long size = varying < 0 ? -1 : shape.get(varying);
        if (size <= 0 || (size % PROBE_TOKENS != 0 && size % PROBE_ROWS != 0)) {
            throw new IllegalArgumentException("the rows of a product cannot be told from its shape " + shape);
        }
        boolean all = size % PROBE_TOKENS == 0;
        shape.set(varying, -1L);
        return new Activation(
                name, new TypedShape(type, shape), all ? size / PROBE_TOKENS : 0, all ? 0 : size / PROBE_ROWS, varying);
    }

    /** How many products a pass has. */
    public int count() {
        return count;
    }

    /**
     * Prepares the products of a pass.
     *
     * @param tokens that the pass reads
     * @param rows of them whose logits are wanted, at the end
     */
    public Pass pass(int tokens, int rows) {
        List<BareGraph.Inputs> steps = new ArrayList<>();
        for (int left = tokens; left > 0; left -= STEP_TOKENS) {
            int wanted = left <= STEP_TOKENS ? rows : 1;
            Map<String, List<Long>> shapes = new LinkedHashMap<>();
            for (Activation activation : activations) {
                shapes.put(activation.name, activation.shape(Math.min(left, STEP_TOKENS), wanted));
            }
            steps.add(graph.inputs(shapes));
        }
        return new Pass(graph, steps);
    }

    @Override
    public void close() {
        graph.close();
    }

    /** The products of a pass of some length. */
    public static final class Pass implements AutoCloseable {

        private final BareGraph graph;
        private final List<BareGraph.Inputs> steps;

        private Pass(BareGraph graph, List<BareGraph.Inputs> steps) {
            this.graph = graph;
            this.steps = steps;
        }

        /** Computes them all once. */
        public void run() {
            steps.forEach(graph::run);
        }

        @Override
        public void close() {
            steps.forEach(BareGraph.Inputs::close);
        }
    }
}
