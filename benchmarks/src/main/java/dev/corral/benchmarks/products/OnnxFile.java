package dev.corral.benchmarks.products;

import dev.corral.quantization.graph.Message;
import dev.corral.quantization.graph.Protobuf;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A model file, taken apart to make smaller graphs of it that share its weights. Field numbers are those of
 * {@code onnx/onnx:onnx/onnx.proto}.
 */
final class OnnxFile {

    private static final int IR_VERSION = 1;
    private static final int GRAPH = 7;
    private static final int OPSET = 8;
    private static final int NODE = 1;
    private static final int INITIALIZER = 5;
    private static final int INPUT = 11;
    private static final int OUTPUT = 12;

    /** Shape inference looks into small constants; larger ones stay where they are. */
    private static final long INLINE_BYTES = 4096;

    private final Message model;
    private final List<Node> nodes = new ArrayList<>();
    private final List<Message> inputs = new ArrayList<>();
    private final Map<String, Protobuf> constants = new LinkedHashMap<>();
    private final Set<String> constantValues = new HashSet<>();

    /** An operator and what it reads and gives; an optional input that is left out has an empty name. */
    record Node(String operator, List<String> inputs, List<String> outputs, Message message) {

        static Node of(Message message) {
            return new Node(
                    message.field(4).map(Message.Field::text).orElse(""),
                    message.fields(1).stream().map(Message.Field::text).toList(),
                    message.fields(2).stream().map(Message.Field::text).toList(),
                    message);
        }
    }

    private OnnxFile(Message model) {
        this.model = model;
    }

    /** Maps a file for as long as the arena lives. */
    static OnnxFile map(Path file, Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            OnnxFile onnx = new OnnxFile(new Message(bytes));
            onnx.read(file.getFileName().toString(), bytes);
            return onnx;
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new IOException(file + " is no ONNX model: " + e.getMessage(), e);
        }
    }

    private void read(String name, MemorySegment file) {
        Message graph = model.field(GRAPH)
                .orElseThrow(() -> new IllegalArgumentException("it has no graph"))
                .message();
        for (Message.Field field : graph.fields()) {
            switch (field.number()) {
                case NODE -> nodes.add(Node.of(field.message()));
                case INPUT -> inputs.add(field.message());
                case INITIALIZER -> {
                    Message tensor = field.message();
                    String constant = tensor.field(8).orElseThrow().text();
                    constants.put(constant, outside(tensor, name, file));
                    constantValues.add(constant);
                }
                default -> {
                    // names, descriptions and outputs are made anew
                }
            }
        }
        for (Node node : nodes) {
            if (node.inputs.stream().allMatch(input -> input.isEmpty() || isConstant(input))) {
                constantValues.addAll(node.outputs);
            }
        }
    }

    /** A constant whose bytes stay in this file. */
    private static Protobuf outside(Message tensor, String name, MemorySegment file) {
        Protobuf copy = new Protobuf();
        for (Message.Field field : tensor.fields()) {
            boolean raw = field.number() == 9;
            if (raw && field.content().byteSize() > INLINE_BYTES) {
                copy.message(13, entry("location", name))
                        .message(
                                13,
                                entry("offset", Long.toString(field.content().address() - file.address())))
                        .message(
                                13,
                                entry("length", Long.toString(field.content().byteSize())))
                        .integer(14, 1);
            } else {
                copy(field, copy);
            }
        }
        return copy;
    }

    private static Protobuf entry(String key, String value) {
        return new Protobuf().string(1, key).string(2, value);
    }

    private static void copy(Message.Field field, Protobuf to) {
        if (field.isNumber()) {
            to.integer(field.number(), field.value());
        } else if (field.wireType() == 5) {
            to.float32(field.number(), field.content().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0));
        } else {
            to.bytes(field.number(), field.content().toArray(ValueLayout.JAVA_BYTE));
        }
    }

    List<Node> nodes() {
        return nodes;
    }

    /** Whether a value does not depend on the graph's inputs. */
    boolean isConstant(String value) {
        return constantValues.contains(value);
    }

    /**
     * This model with other outputs, whose types and shapes the runtime is to find out.
     *
     * @param sizes of the inputs' dimensions, by their names
     * @param otherSize of every other dimension that has a name
     */
    byte[] withOutputs(Set<String> outputs, Map<String, Long> sizes, long otherSize) {
        Protobuf graph = new Protobuf();
        nodes.forEach(node -> graph.bytes(NODE, bytes(node.message)));
        graph.string(2, "shapes");
        constants.values().forEach(constant -> graph.message(INITIALIZER, constant));
        inputs.forEach(input -> graph.message(INPUT, sized(input, sizes, otherSize)));
        outputs.forEach(output -> graph.message(OUTPUT, new Protobuf().string(1, output)));
        return model(graph);
    }

    /**
     * Some of this model's nodes, and what is constant, with new inputs.
     *
     * @param renamed what the nodes read instead of a value
     * @param newInputs type code and dimensions by name; -1 for a dimension that is not known
     * @param output the graph's only output
     */
    byte[] withNodes(List<Node> kept, Map<String, String> renamed, Map<String, TypedShape> newInputs, String output) {
        Set<Node> chosen = new HashSet<>(kept);
        Protobuf graph = new Protobuf();
        Set<String> read = new HashSet<>();
        for (Node node : nodes) {
            if (chosen.contains(node) || isConstant(node.outputs.getFirst())) {
                read.addAll(node.inputs);
                graph.message(NODE, renamed(node, renamed));
            }
        }
        graph.string(2, "products");
        constants.forEach((name, constant) -> {
            if (read.contains(name)) {
                graph.message(INITIALIZER, constant);
            }
        });
        newInputs.forEach((name, value) -> graph.message(INPUT, value.input(name)));
        graph.message(OUTPUT, new Protobuf().string(1, output));
        return model(graph);
    }

    /**
     * An element type by its number in {@code TensorProto.DataType}, and a shape with -1 for dimensions that vary.
     */
    record TypedShape(int type, List<Long> shape) {

        Protobuf input(String name) {
            Protobuf dimensions = new Protobuf();
            for (int i = 0; i < shape.size(); i++) {
                dimensions.message(
                        1,
                        shape.get(i) < 0
                                ? new Protobuf().string(2, name + "." + i)
                                : new Protobuf().integer(1, shape.get(i)));
            }
            return value(name, new Protobuf().integer(1, type).message(2, dimensions));
        }
    }

    private static Protobuf value(String name, Protobuf tensor) {
        return new Protobuf().string(1, name).message(2, new Protobuf().message(1, tensor));
    }

    private byte[] model(Protobuf graph) {
        Protobuf out = new Protobuf();
        model.fields(IR_VERSION).forEach(version -> out.integer(IR_VERSION, version.value()));
        out.message(GRAPH, graph);
        model.fields(OPSET).forEach(opset -> out.bytes(OPSET, opset.content().toArray(ValueLayout.JAVA_BYTE)));
        return out.toByteArray();
    }

    private static byte[] bytes(Message message) {
        return message.bytes().toArray(ValueLayout.JAVA_BYTE);
    }

    private static Protobuf renamed(Node node, Map<String, String> names) {
        Protobuf copy = new Protobuf();
        for (Message.Field field : node.message.fields()) {
            if (field.number() == 1) {
                copy.string(1, names.getOrDefault(field.text(), field.text()));
            } else {
                copy(field, copy);
            }
        }
        return copy;
    }

    private static Protobuf sized(Message input, Map<String, Long> sizes, long otherSize) {
        Message tensor =
                input.field(2).orElseThrow().message().field(1).orElseThrow().message();
        Protobuf dimensions = new Protobuf();
        for (Message.Field dimension : tensor.field(2).orElseThrow().message().fields(1)) {
            Map<Integer, Message.Field> either = new HashMap<>();
            dimension.message().fields().forEach(field -> either.put(field.number(), field));
            Message.Field name = either.get(2);
            long size = name == null
                    ? either.getOrDefault(1, new Message.Field(1, 0, otherSize, MemorySegment.NULL))
                            .value()
                    : sizes.getOrDefault(name.text(), otherSize);
            dimensions.message(1, new Protobuf().integer(1, size));
        }
        return value(
                input.field(1).orElseThrow().text(),
                new Protobuf().integer(1, tensor.field(1).orElseThrow().value()).message(2, dimensions));
    }
}
