package dev.corral.quantization.executorch;

import dev.corral.quantization.checkpoint.CheckpointException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What ExecuTorch makes for XNNPACK of one or more linear layers (pytorch/executorch:backends/xnnpack/serialization): a
 * header, a flatbuffer with the graph, and, up to ExecuTorch 0.5, the weights. Each product takes its input through a
 * conversion to 8 bits with a scale a token.
 */
record XnnPayload(List<Linear> linears) {

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final long MOST_ENTRIES = 10_000;

    private static final int HEADER_BYTES = 30;
    private static final String HEADER = "XH00";
    private static final String IDENTIFIER = "XN01";
    private static final int CONVERT = 18;
    private static final int FULLY_CONNECTED = 2;
    private static final long NONE = 0xFFFFFFFFL;
    private static final int QUANTISED_VALUE = 2;
    private static final int INT4_IN_GROUPS = 10;
    private static final int PER_GROUP = 4;
    private static final int PER_TOKEN = 3;
    private static final long NAMED = -1;

    /** ExecuTorch's names of the nodes that an exporter may have put in by mistake, by tag. */
    private static final Map<Integer, String> NODES = Map.ofEntries(
            Map.entry(1, "Add"),
            Map.entry(3, "Softmax"),
            Map.entry(4, "Sigmoid"),
            Map.entry(5, "StaticTranspose"),
            Map.entry(6, "Clamp"),
            Map.entry(7, "Conv2d"),
            Map.entry(8, "Divide"),
            Map.entry(10, "Multiply"),
            Map.entry(15, "BatchMatrixMultiply"));

    XnnPayload {
        linears = List.copyOf(linears);
    }

    /**
     * A product.
     *
     * @param input place of the value that is multiplied among the arguments of the call
     * @param output place of the product among them
     */
    record Linear(long input, long output, QuantisedMatrix weights) {}

    /**
     * Reads what a delegate has.
     *
     * @param place for messages
     */
    static XnnPayload read(ProgramFile program, MemorySegment payload, String place) {
        return new Reader(program, payload, program.origin() + ", " + place).read();
    }

    private static final class Reader {

        private final ProgramFile program;
        private final MemorySegment payload;
        private final String origin;

        private Reader(ProgramFile program, MemorySegment payload, String origin) {
            this.program = program;
            this.payload = payload;
            this.origin = origin;
        }

        private XnnPayload read() {
            String identifier = text(4);
            if (identifier.equals("XN00") || identifier.equals(IDENTIFIER)) {
                throw refused(
                        "has no header '%s': it is from before ExecuTorch 0.2; export it again".formatted(HEADER));
            }
            if (!identifier.equals(HEADER)) {
                throw refused("does not begin with the header '%s' of XNNPACK's payloads".formatted(HEADER));
            }
            int headerBytes = payload.byteSize() < HEADER_BYTES
                    ? 0
                    : Short.toUnsignedInt(
                            payload.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 8));
            if (headerBytes < HEADER_BYTES) {
                throw refused("has a header of %d bytes in place of %d".formatted(headerBytes, HEADER_BYTES));
            }
            MemorySegment graph = slice(
                    Integer.toUnsignedLong(payload.get(INT, 10)),
                    Integer.toUnsignedLong(payload.get(INT, 14)),
                    "its graph");
            MemorySegment constants =
                    slice(Integer.toUnsignedLong(payload.get(INT, 18)), payload.get(LONG, 22), "its constant data");
            if (graph.byteSize() < 8
                    || !new String(graph.asSlice(4, 4).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1)
                            .equals(IDENTIFIER)) {
                throw refused("has a graph that is not marked '%s'".formatted(IDENTIFIER));
            }
            return graph(new Flatbuffer(graph, origin, MOST_ENTRIES).root("graph"), constants);
        }

        private XnnPayload graph(Flatbuffer.Table graph, MemorySegment constants) {
            Map<Long, Flatbuffer.Table> values = new HashMap<>();
            for (Flatbuffer.Table value : graph.tables(2, "xvalues")) {
                long id = tensor(value).unsignedInteger(6);
                if (values.put(id, value) != null) {
                    throw value.damaged("has the number %d, as another value has".formatted(id));
                }
            }
            List<Flatbuffer.Table> data = graph.tables(8, "constant_data");
            Map<Long, Long> converted = new HashMap<>();
            Map<Long, Linear> products = new LinkedHashMap<>();
            for (Flatbuffer.Table union : graph.tables(1, "xnodes")) {
                int tag = union.unsignedByte(0);
                Flatbuffer.Table node = union.requireTable(1, "node");
                switch (tag) {
                    case CONVERT -> converted.put(node.unsignedInteger(1), node.unsignedInteger(0));
                    case FULLY_CONNECTED -> {
                        if (node.integer(4) != 0 || union.has(3)) {
                            throw node.unsupported("has flags, or bounds for its results");
                        }
                        if (node.unsignedInteger(2) != NONE) {
                            throw node.unsupported("adds a bias");
                        }
                        Long input = converted.get(node.unsignedInteger(0));
                        if (input == null || quantisation(value(values, node.unsignedInteger(0), node)) != PER_TOKEN) {
                            throw node.unsupported(
                                    "multiplies a value that was not converted to 8 bits with a scale a token");
                        }
                        Flatbuffer.Table filter = value(values, node.unsignedInteger(1), node);
                        Linear product = new Linear(
                                external(values, input, 1, node),
                                external(values, node.unsignedInteger(3), 2, node),
                                matrix(filter, data, constants));
                        if (products.put(product.output, product) != null) {
                            throw node.damaged("writes what another node has written");
                        }
                    }
                    default ->
                        throw union.unsupported(
                                "is a node of kind %d (%s)".formatted(tag, NODES.getOrDefault(tag, "unknown here")));
                }
            }
            if (products.isEmpty()) {
                throw graph.unsupported("multiplies nothing");
            }
            return new XnnPayload(List.copyOf(products.values()));
        }

        private static Flatbuffer.Table value(Map<Long, Flatbuffer.Table> values, long id, Flatbuffer.Table user) {
            Flatbuffer.Table value = values.get(id);
            if (value == null) {
                throw user.damaged("uses value %d, which is not there".formatted(id));
            }
            return value;
        }

        /** What a value is as a tensor, be it quantised or not. */
        private static Flatbuffer.Table tensor(Flatbuffer.Table union) {
            Flatbuffer.Table value = union.requireTable(1, "xvalue_union");
            return union.unsignedByte(0) == QUANTISED_VALUE ? value.requireTable(0, "tensor_value") : value;
        }

        private static int quantisation(Flatbuffer.Table union) {
            return union.unsignedByte(0) == QUANTISED_VALUE
                    ? union.requireTable(1, "xvalue_union").unsignedByte(1)
                    : 0;
        }

        /** The place of a value among the arguments of the call. */
        private static long external(Map<Long, Flatbuffer.Table> values, long id, int flag, Flatbuffer.Table user) {
            Flatbuffer.Table tensor = tensor(value(values, id, user));
            if ((tensor.integer(5) & flag) == 0) {
                throw tensor.unsupported("stays inside of the delegate, though a product begins or ends with it");
            }
            return tensor.unsignedInteger(4);
        }

        private QuantisedMatrix matrix(Flatbuffer.Table union, List<Flatbuffer.Table> data, MemorySegment constants) {
            Flatbuffer.Table tensor = tensor(union);
            if (union.unsignedByte(0) != QUANTISED_VALUE || tensor.shortInteger(0) != INT4_IN_GROUPS) {
                throw tensor.unsupported("is a weight of type %d in place of %d, 4 bits in groups"
                        .formatted(tensor.shortInteger(0), INT4_IN_GROUPS));
            }
            Flatbuffer.Table quantised = union.requireTable(1, "xvalue_union");
            if (quantisation(union) != PER_GROUP) {
                throw quantised.unsupported("has quantisation %d in place of %d, a scale a group"
                        .formatted(quantisation(union), PER_GROUP));
            }
            Flatbuffer.Table groups = quantised.requireTable(2, "quant_params");
            if (groups.integer(1) != 0) {
                throw groups.unsupported("has its channels in dimension " + groups.integer(1));
            }
            int[] dimensions = tensor.integers(2, "dims");
            if (dimensions.length != 2 || dimensions[0] < 1 || dimensions[1] < 1) {
                throw tensor.unsupported("has the shape " + Arrays.toString(dimensions) + " in place of a matrix's");
            }
            MemorySegment numbers = constant(tensor.unsignedInteger(3), data, constants, tensor);
            QuantisedMatrix.ScaleType type = QuantisedMatrix.ScaleType.FLOAT32;
            MemorySegment scales = groups.bytes(0, "scale", Float.BYTES);
            if (scales.byteSize() == 0) {
                type = QuantisedMatrix.ScaleType.BFLOAT16;
                scales = groups.bytes(3, "scale_bf16", Short.BYTES);
                if (scales.byteSize() == 0) {
                    scales = constant(groups.unsignedInteger(4), data, constants, groups);
                }
            }
            return new QuantisedMatrix(
                    origin + ": " + tensor.place(),
                    dimensions[0],
                    dimensions[1],
                    groups.integer(2),
                    true,
                    numbers,
                    type,
                    scales);
        }

        private MemorySegment constant(
                long index, List<Flatbuffer.Table> data, MemorySegment constants, Flatbuffer.Table user) {
            // the first entry stands for no constant
            if (index < 1 || index >= data.size()) {
                throw user.damaged("has constant %d of %d".formatted(index, data.size()));
            }
            Flatbuffer.Table constant = data.get((int) index);
            long offset = constant.longInteger(0);
            if (offset == NAMED) {
                return program.named(constant.text(2, "named_key"), origin + ", " + constant.place());
            }
            long size = constant.longInteger(1);
            if (offset < 0 || size < 0 || offset > constants.byteSize() || size > constants.byteSize() - offset) {
                throw constant.damaged("has %s bytes at %s of its payload's %d bytes of constants"
                        .formatted(Long.toUnsignedString(size), Long.toUnsignedString(offset), constants.byteSize()));
            }
            return constants.asSlice(offset, size);
        }

        private MemorySegment slice(long offset, long size, String what) {
            if (size < 0 || offset > payload.byteSize() || size > payload.byteSize() - offset) {
                throw refused("is damaged: %s is to have %s bytes at %d, but the payload has %d"
                        .formatted(what, Long.toUnsignedString(size), offset, payload.byteSize()));
            }
            return payload.asSlice(offset, size);
        }

        private String text(long at) {
            return payload.byteSize() < at + 4
                    ? ""
                    : new String(payload.asSlice(at, 4).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
        }

        private CheckpointException refused(String what) {
            return new CheckpointException(origin + " " + what);
        }
    }
}
