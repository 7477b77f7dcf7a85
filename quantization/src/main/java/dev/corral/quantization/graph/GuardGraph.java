package dev.corral.quantization.graph;

import dev.corral.guardmodels.store.ModelSource;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Quantised;
import dev.corral.quantization.checkpoint.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A graph of {@link LlamaGraph}, read back: its weights by Hugging Face's names, whatever way they are kept in, and its
 * geometry, which is told by shapes, by attributes and by the rotary tables. Layers are numbered anew where some were
 * dropped. The vocabulary's head is not among the weights: a guard keeps a few of its rows, {@link #head()}.
 */
public final class GuardGraph implements Checkpoint {

    private static final Pattern NORM = Pattern.compile("model\\.layers\\.([0-9]+)\\.input_layernorm");

    private final Arena arena;
    private final Path file;
    private final Map<String, Constant> constants = new HashMap<>();
    private final Map<String, Node> nodes = new HashMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final LlamaConfig config;
    private final Matrix head;

    /**
     * A constant tensor.
     *
     * @param type its number in {@code TensorProto.DataType}
     */
    private record Constant(String name, int type, List<Long> shape, MemorySegment data) {

        boolean is(ElementType wanted) {
            return type == wanted.code();
        }

        float number(long index) {
            return is(ElementType.FLOAT16)
                    ? Float.float16ToFloat(data.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * index))
                    : data.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * index);
        }

        float[] numbers() {
            float[] numbers = new float[Math.toIntExact(shape.stream().reduce(1L, Math::multiplyExact))];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = number(i);
            }
            return numbers;
        }
    }

    /** An operator and its attributes, as messages by name. */
    private record Node(String operator, Map<String, Message> attributes) {

        int integer(String name) {
            return Optional.ofNullable(attributes.get(name))
                    .flatMap(attribute -> attribute.field(3))
                    .map(field -> Math.toIntExact(field.value()))
                    .orElseThrow(() -> new IllegalArgumentException(operator + " has no attribute " + name));
        }
    }

    private GuardGraph(Path file, Arena arena, MemorySegment bytes) throws IOException {
        this.file = file;
        this.arena = arena;
        read(bytes);
        this.head = new Turned(require("logits.weight", ElementType.FLOAT), Optional.empty());
        this.config = tensors();
    }

    /**
     * Maps the model of a guard.
     *
     * @throws CheckpointException if it is none that 'corral quantize' or 'corral model import' made
     */
    @SuppressWarnings("MustBeClosedChecker") // the arena lives as long as the graph, which closes it
    public static GuardGraph open(ModelSource model) {
        Arena arena = Arena.ofShared();
        Path file = switch (model) {
            case ModelSource.InFile source -> source.file();
            case ModelSource.InMemory _ -> Path.of("the built-in model");
        };
        try {
            return new GuardGraph(
                    file,
                    arena,
                    switch (model) {
                        case ModelSource.InFile source -> map(source.file(), arena);
                        case ModelSource.InMemory source -> MemorySegment.ofBuffer(source.bytes());
                    });
        } catch (IOException e) {
            arena.close();
            throw new CheckpointException("cannot read " + file + ": " + e.getMessage(), e);
        } catch (IllegalArgumentException | IndexOutOfBoundsException | ArithmeticException e) {
            arena.close();
            throw new CheckpointException(
                    "%s is not a decoder that 'corral quantize' made: %s".formatted(file, e.getMessage()), e);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private static MemorySegment map(Path file, Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
    }

    /** Field numbers: onnx/onnx:onnx/onnx.proto. */
    private void read(MemorySegment bytes) throws IOException {
        Message graph = new Message(bytes)
                .field(7)
                .orElseThrow(() -> new IllegalArgumentException("it has no graph"))
                .message();
        Map<String, MemorySegment> beside = new HashMap<>();
        for (Message.Field field : graph.fields()) {
            if (field.number() == 1) {
                Message node = field.message();
                Map<String, Message> attributes = new HashMap<>();
                for (Message.Field attribute : node.fields(5)) {
                    attributes.put(text(attribute.message(), 1), attribute.message());
                }
                for (Message.Field output : node.fields(2)) {
                    nodes.put(output.text(), new Node(text(node, 4), attributes));
                }
            } else if (field.number() == 5) {
                Message tensor = field.message();
                Map<String, String> external = new HashMap<>();
                for (Message.Field entry : tensor.fields(13)) {
                    external.put(text(entry.message(), 1), text(entry.message(), 2));
                }
                MemorySegment data = tensor.field(9).map(Message.Field::content).orElse(MemorySegment.NULL);
                String location = external.get("location");
                if (location != null) {
                    if (!location.matches("[A-Za-z0-9._-]+")) {
                        throw new IllegalArgumentException("its weights are in '" + location + "'");
                    }
                    if (!beside.containsKey(location)) {
                        beside.put(location, map(file.resolveSibling(location), arena));
                    }
                    data = beside.get(location)
                            .asSlice(
                                    Long.parseLong(external.getOrDefault("offset", "0")),
                                    Long.parseLong(external.getOrDefault("length", "0")));
                }
                Constant constant = new Constant(
                        text(tensor, 8),
                        (int) tensor.field(2)
                                .map(Message.Field::value)
                                .orElse(0L)
                                .longValue(),
                        tensor.numbers(1),
                        data);
                constants.put(constant.name, constant);
            }
        }
    }

    private static String text(Message message, int field) {
        return message.field(field).map(Message.Field::text).orElse("");
    }

    private LlamaConfig tensors() {
        int hidden = head.columns();
        List<String> norms = constants.keySet().stream()
                .filter(name -> NORM.matcher(name).matches())
                .sorted((a, b) -> Integer.compare(layer(a), layer(b)))
                .map(name -> name.substring(0, name.lastIndexOf('.') + 1))
                .toList();
        if (norms.isEmpty()) {
            throw new IllegalArgumentException("it has no layers");
        }
        Node attention = node("layer.0.attention");
        int heads = attention.integer("num_heads");
        int kvHeads = attention.integer("kv_num_heads");
        Constant cosines = require("rotary.cos", ElementType.FLOAT);
        int half = Math.toIntExact(cosines.shape.getLast());
        Matrix embedding = embedding(hidden);
        add("model.embed_tokens", embedding, storage("embedding"));
        for (int layer = 0; layer < norms.size(); layer++) {
            String value = "layer." + layer + ".";
            String name = "model.layers." + layer + ".";
            add(name + "input_layernorm", norms.get(layer) + "input_layernorm");
            add(name + "post_attention_layernorm", norms.get(layer) + "post_attention_layernorm");
            addQueryKeyValue(name + "self_attn.", value + "attention.qkv", heads * 2 * half, kvHeads * 2 * half);
            addLinear(name + "self_attn.o_proj", value + "attention.output");
            addLinear(name + "mlp.gate_proj", value + "mlp.gate");
            addLinear(name + "mlp.up_proj", value + "mlp.up");
            addLinear(name + "mlp.down_proj", value + "mlp");
        }
        add("model.norm", "model.norm");
        float epsilon = Optional.ofNullable(
                        node("layer.0.input_norm").attributes.get("epsilon"))
                .flatMap(attribute -> attribute.field(2))
                .map(field -> field.content().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0))
                .orElseThrow(() -> new IllegalArgumentException("its norms have no epsilon"));
        RotaryBase rotary = RotaryBase.of(frequencies(cosines, require("rotary.sin", ElementType.FLOAT), half));
        return new LlamaConfig(
                hidden,
                norms.size(),
                heads,
                kvHeads,
                2 * half,
                linear("layer.0.mlp.gate").rows(),
                embedding.rows(),
                Math.toIntExact(cosines.shape.getFirst()),
                rotary.theta(),
                rotary.scaling(),
                epsilon,
                false);
    }

    private static int layer(String norm) {
        Matcher matcher = NORM.matcher(norm);
        return matcher.matches() ? Integer.parseInt(matcher.group(1)) : -1;
    }

    /** Angles of the first position are the frequencies themselves. */
    private static double[] frequencies(Constant cosines, Constant sines, int half) {
        return IntStream.range(0, half)
                .mapToDouble(i -> Math.atan2(sines.number(half + i), cosines.number(half + i)))
                .toArray();
    }

    private static Matrix rows(Matrix all, int from, int to) {
        return all.select(IntStream.range(from, to).boxed().toList());
    }

    /** They are one product where they are stored alike, and three side by side where not. */
    private void addQueryKeyValue(String name, String value, int queries, int keys) {
        List<String> names = List.of(name + "q_proj", name + "k_proj", name + "v_proj");
        if (nodes.containsKey(value) && node(value).operator.equals("Concat")) {
            for (int i = 0; i < names.size(); i++) {
                addLinear(names.get(i), LinearLayer.part(value, i));
            }
            return;
        }
        Matrix all = linear(value);
        int[] ends = {0, queries, queries + keys, queries + 2 * keys};
        for (int i = 0; i < names.size(); i++) {
            add(names.get(i), rows(all, ends[i], ends[i + 1]), storage(value));
        }
    }

    private void addLinear(String name, String value) {
        add(name, linear(value), storage(value));
    }

    /** How the weights of a product are stored, for people. */
    private String storage(String value) {
        return Optional.ofNullable(constants.get(value + ".weight"))
                .filter(constant -> constant.is(ElementType.FLOAT16))
                .map(_ -> "F16")
                .orElse("F32");
    }

    private void add(String name, Matrix matrix, String storage) {
        tensors.put(name + ".weight", new Whole(name + ".weight", storage, matrix));
    }

    private void add(String name, String norm) {
        tensors.put(
                name + ".weight",
                new Vector(name + ".weight", require(norm, ElementType.FLOAT).numbers()));
    }

    private Matrix linear(String value) {
        String product = constants.containsKey(value + ".scaled.weight") ? value + ".scaled" : value;
        Constant weight = constant(product + ".weight");
        if (!weight.is(ElementType.UINT8)) {
            return new Turned(
                    weight,
                    weight.is(ElementType.INT8)
                            ? Optional.of(require(product + ".scale", ElementType.FLOAT)
                                    .numbers())
                            : Optional.empty());
        }
        Node node = node(product);
        return new InBlocks(
                node.integer("N"),
                node.integer("K"),
                node.integer("bits"),
                node.integer("block_size"),
                false,
                weight,
                constant(product + ".scale"),
                Optional.ofNullable(constants.get(value + ".offset")));
    }

    private Matrix embedding(int hidden) {
        Constant weight = constant("embedding.weight");
        int rows = Math.toIntExact(weight.shape.getFirst());
        if (weight.is(ElementType.FLOAT) || weight.is(ElementType.FLOAT16)) {
            return new Straight(weight, rows, hidden);
        }
        Constant scales = constant("embedding.scale");
        if (weight.is(ElementType.INT8)) {
            int size = Math.toIntExact(weight.shape.getLast());
            return new InBlocks(rows, hidden, Byte.SIZE, size, true, weight, scales, Optional.empty());
        }
        Node node = nodes.containsKey("embedding.halves") ? node("embedding.halves") : node("embedding");
        return new InBlocks(
                rows,
                hidden,
                node.integer("bits"),
                node.integer("block_size"),
                false,
                weight,
                scales,
                Optional.empty());
    }

    private Constant constant(String name) {
        return Optional.ofNullable(constants.get(name))
                .orElseThrow(() -> new IllegalArgumentException("it has no constant '" + name + "'"));
    }

    private Constant require(String name, ElementType type) {
        Constant constant = constant(name);
        if (!constant.is(type)) {
            throw new IllegalArgumentException("the constant '%s' is not of type %s".formatted(name, type));
        }
        return constant;
    }

    private Node node(String output) {
        return Optional.ofNullable(nodes.get(output))
                .orElseThrow(() -> new IllegalArgumentException("it has no value '" + output + "'"));
    }

    /** The decoder's geometry; its vocabulary is the embedding's, its longest sequence the guard's. */
    public LlamaConfig config() {
        return config;
    }

    /** The rows of the output that the guard reads. */
    public Matrix head() {
        return head;
    }

    @Override
    public List<Path> files() {
        return List.of(file);
    }

    @Override
    public Set<String> names() {
        return tensors.keySet();
    }

    @Override
    public Optional<Tensor> find(String name) {
        return Optional.ofNullable(tensors.get(name));
    }

    @Override
    public void close() {
        arena.close();
    }

    /** A matrix under a name. */
    private record Whole(String name, String storage, Matrix matrix) implements Tensor {

        @Override
        public List<Long> shape() {
            return Initializer.dimensions(matrix.rows(), matrix.columns());
        }

        @Override
        public void row(int row, float[] target) {
            matrix.row(row, target);
        }

        @Override
        public Optional<Quantised> quantised() {
            return matrix.quantised();
        }
    }

    /** A vector in memory. */
    private static final class Vector implements Tensor {

        private final String name;
        private final float[] values;

        Vector(String name, float[] values) {
            this.name = name;
            this.values = values;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String storage() {
            return "F32";
        }

        @Override
        public List<Long> shape() {
            return Initializer.dimensions(values.length);
        }

        @Override
        public void row(int row, float[] target) {
            target[0] = values[row];
        }
    }

    /** Rows of floats, one after the other. */
    private record Straight(Constant weight, int rows, int columns) implements Matrix {

        @Override
        public void row(int row, float[] target) {
            for (int i = 0; i < columns; i++) {
                target[i] = weight.number((long) row * columns + i);
            }
        }
    }

    /** What {@link Channels} wrote, read across; whole numbers have a scale for each row. */
    private static final class Turned implements Matrix {

        private final Constant weight;
        private final Optional<float[]> scales;

        Turned(Constant weight, Optional<float[]> scales) {
            this.weight = weight;
            this.scales = scales;
        }

        @Override
        public int rows() {
            return Math.toIntExact(weight.shape.getLast());
        }

        @Override
        public int columns() {
            return Math.toIntExact(weight.shape.getFirst());
        }

        @Override
        public void row(int row, float[] target) {
            int rows = rows();
            int columns = columns();
            for (int i = 0; i < columns; i++) {
                long at = (long) i * rows + row;
                target[i] = scales.isPresent()
                        ? weight.data.get(ValueLayout.JAVA_BYTE, at) * scales.get()[row]
                        : weight.number(at);
            }
        }
    }

    /**
     * What {@link Blocks}, {@link RoundedMatrix} or {@link StoredBlocks} wrote.
     *
     * @param signed whether numbers are around zero already
     * @param offsets (blocks, rows)
     */
    private record InBlocks(
            int rows,
            int columns,
            int bits,
            int size,
            boolean signed,
            Constant weight,
            Constant scale,
            Optional<Constant> offsets)
            implements Matrix, Quantised {

        private int perRow() {
            return Math.ceilDiv(columns, size);
        }

        private int number(int row, int column) {
            long at = (long) row * perRow() * size + column;
            int middle = 1 << (bits - 1);
            if (bits == Byte.SIZE) {
                byte stored = weight.data.get(ValueLayout.JAVA_BYTE, at);
                return signed ? stored : Byte.toUnsignedInt(stored) - middle;
            }
            int both = Byte.toUnsignedInt(weight.data.get(ValueLayout.JAVA_BYTE, at / 2));
            return (at % 2 == 0 ? both & 15 : both >> 4) - middle;
        }

        private float scale(int row, int block) {
            return scale.number((long) row * perRow() + block);
        }

        private float offset(int row, int block) {
            return offsets.orElseThrow().number((long) block * rows + row);
        }

        @Override
        public void row(int row, float[] target) {
            for (int i = 0; i < columns; i++) {
                float scaled = number(row, i) * scale(row, i / size);
                target[i] = offsets.isPresent() ? scaled + offset(row, i / size) : scaled;
            }
        }

        @Override
        public Optional<Quantised> quantised() {
            return columns % size == 0 ? Optional.of(this) : Optional.empty();
        }

        @Override
        public Layout layout() {
            return new Layout(bits, size, scale.is(ElementType.FLOAT16), offsets.isPresent());
        }

        @Override
        public void numbers(int row, byte[] target) {
            for (int i = 0; i < columns; i++) {
                target[i] = (byte) number(row, i);
            }
        }

        @Override
        public void scales(int row, float[] target) {
            for (int block = 0; block < perRow(); block++) {
                target[block] = scale(row, block);
            }
        }

        @Override
        public void offsets(int row, float[] target) {
            for (int block = 0; block < perRow(); block++) {
                target[block] = offset(row, block);
            }
        }
    }
}
