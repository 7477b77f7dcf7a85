package dev.corral.quantization.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** An ONNX graph while it is built: inputs, constants, nodes in execution order, outputs. */
public final class OnnxGraph {

    /** Operators outside of the ONNX standard that ONNX Runtime adds. */
    static final String MICROSOFT = "com.microsoft";

    /** The standard's own operators. */
    static final String STANDARD = "";

    private final List<Value> inputs = new ArrayList<>();
    private final List<Value> outputs = new ArrayList<>();
    private final Map<String, Initializer> initializers = new LinkedHashMap<>();
    private final List<Node> nodes = new ArrayList<>();
    private final Set<String> computed = new HashSet<>();

    /**
     * A graph input or output.
     *
     * @param shape a dimension is a number ({@code Long}) or the name of an unknown one ({@code String})
     */
    record Value(String name, ElementType type, List<Object> shape) {
        Value {
            shape = List.copyOf(shape);
        }
    }

    /**
     * An operator.
     *
     * @param inputs names of values; empty for an optional one left out
     * @param attributes values are {@code Long}, {@code Float} or lists of {@code Long}; sorted by name, so that a graph has one form only
     */
    record Node(
            String domain, String operator, List<String> inputs, List<String> outputs, Map<String, Object> attributes) {
        Node {
            inputs = List.copyOf(inputs);
            outputs = List.copyOf(outputs);
            attributes = Collections.unmodifiableMap(new TreeMap<>(attributes));
        }
    }

    String input(String name, ElementType type, Object... shape) {
        inputs.add(new Value(name, type, List.of(shape)));
        return name;
    }

    void output(String name, ElementType type, Object... shape) {
        outputs.add(new Value(name, type, List.of(shape)));
    }

    /** Adds a constant once; the same name again must mean the same constant. */
    String constant(Initializer initializer) {
        initializers.putIfAbsent(initializer.name(), initializer);
        return initializer.name();
    }

    void node(String domain, String operator, List<String> in, List<String> out, Map<String, Object> attributes) {
        nodes.add(new Node(domain, operator, in, out, attributes));
        computed.addAll(out);
    }

    /** An operator of the standard with one output and no attributes. */
    String standard(String operator, String out, String... in) {
        node(STANDARD, operator, List.of(in), List.of(out), Map.of());
        return out;
    }

    /** The same numbers in another shape; -1 for the one dimension that follows from the others. */
    String reshape(String out, String x, long... shape) {
        return standard("Reshape", out, x, constant(Initializer.longs(out + ".shape", shape)));
    }

    /** The same numbers with the axes in another order. */
    String transpose(String out, String x, List<Long> axes) {
        node(STANDARD, "Transpose", List.of(x), List.of(out), Map.of("perm", axes));
        return out;
    }

    /** Whether a node gives this value already. */
    boolean computes(String value) {
        return computed.contains(value);
    }

    List<Value> inputs() {
        return inputs;
    }

    List<Value> outputs() {
        return outputs;
    }

    List<Initializer> initializers() {
        return List.copyOf(initializers.values());
    }

    List<Node> nodes() {
        return nodes;
    }

    /** Bytes of all constants together. */
    public long constantBytes() {
        return initializers.values().stream().mapToLong(Initializer::byteLength).sum();
    }
}
