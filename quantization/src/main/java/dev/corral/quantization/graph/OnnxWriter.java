package dev.corral.quantization.graph;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * Writes a graph as an ONNX model (field numbers: onnx/onnx:onnx/onnx.proto). Constants go into the model's file, or,
 * beyond the 2 GB that a protobuf message can hold, into {@code <model>.data} beside it.
 */
public final class OnnxWriter {

    private static final int IR_VERSION = 10;
    private static final int OPSET = 21;
    private static final int MICROSOFT_OPSET = 1;

    /**
     * Up to so many bytes a model is one file. Weights beside a larger one are mapped into memory by ONNX Runtime, where
     * those inside of it are copied; and protobuf's limit of 2^31 - 1 bytes is far.
     */
    static final long INLINE_LIMIT = 128L << 20;

    /** Smaller constants always go into the model's file: shapes and axes must be known before any data is read. */
    private static final long SMALL = 1024;

    private static final long ALIGNMENT = 4096;
    private static final int BUFFER_BYTES = 1 << 20;

    private final String producerVersion;
    private final long inlineLimit;

    /** Writes models that name {@code producerVersion} as the version of their producer, Corral. */
    public OnnxWriter(String producerVersion) {
        this(producerVersion, INLINE_LIMIT);
    }

    /** Writes all constants but small ones beside the model, where they can be mapped into memory. */
    public static OnnxWriter beside(String producerVersion) {
        return new OnnxWriter(producerVersion, 0);
    }

    OnnxWriter(String producerVersion, long inlineLimit) {
        this.producerVersion = producerVersion;
        this.inlineLimit = inlineLimit;
    }

    /**
     * Writes the model.
     *
     * @param progress is told the bytes of constants written so far
     */
    public void write(OnnxGraph graph, Path model, LongConsumer progress) throws IOException {
        if (graph.constantBytes() <= inlineLimit) {
            writeInline(graph, model, progress);
        } else {
            writeExternal(graph, model, progress);
        }
    }

    private void writeInline(OnnxGraph graph, Path model, LongConsumer progress) throws IOException {
        byte[] structure = structure(graph).toByteArray();
        List<byte[]> headers = new ArrayList<>();
        long graphBytes = structure.length;
        for (Initializer initializer : graph.initializers()) {
            byte[] tensor =
                    tensor(initializer).header(9, initializer.byteLength()).toByteArray();
            byte[] header = new Protobuf()
                    .header(5, tensor.length + initializer.byteLength())
                    .toByteArray();
            headers.add(concatenate(header, tensor));
            graphBytes += header.length + tensor.length + initializer.byteLength();
        }
        try (CountingStream out = new CountingStream(Files.newOutputStream(model), progress)) {
            out.write(model().header(7, graphBytes).toByteArray());
            out.write(structure);
            for (int i = 0; i < headers.size(); i++) {
                out.write(headers.get(i));
                out.constant(graph.initializers().get(i));
            }
        }
    }

    private void writeExternal(OnnxGraph graph, Path model, LongConsumer progress) throws IOException {
        Path data = model.resolveSibling(model.getFileName() + ".data");
        Protobuf structure = structure(graph);
        long offset = 0;
        try (CountingStream out = new CountingStream(Files.newOutputStream(data), progress)) {
            for (Initializer initializer : graph.initializers()) {
                if (initializer.byteLength() < SMALL) {
                    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                    initializer.source().writeTo(bytes);
                    structure.message(5, tensor(initializer).bytes(9, bytes.toByteArray()));
                    out.countConstant(initializer, bytes.size());
                    continue;
                }
                long padding = Math.floorMod(-offset, ALIGNMENT);
                out.write(new byte[(int) padding]);
                offset += padding;
                structure.message(
                        5,
                        tensor(initializer)
                                .message(
                                        13, entry("location", data.getFileName().toString()))
                                .message(13, entry("offset", Long.toString(offset)))
                                .message(13, entry("length", Long.toString(initializer.byteLength())))
                                .integer(14, 1));
                out.constant(initializer);
                offset += initializer.byteLength();
            }
        }
        Files.write(model, model().message(7, structure).toByteArray());
    }

    private Protobuf model() {
        return new Protobuf()
                .integer(1, IR_VERSION)
                .string(2, "corral")
                .string(3, producerVersion)
                .message(8, new Protobuf().string(1, OnnxGraph.STANDARD).integer(2, OPSET))
                .message(8, new Protobuf().string(1, OnnxGraph.MICROSOFT).integer(2, MICROSOFT_OPSET));
    }

    /** The graph without its constants. */
    private static Protobuf structure(OnnxGraph graph) {
        Protobuf out = new Protobuf();
        graph.nodes().forEach(node -> out.message(1, node(node)));
        out.string(2, "corral");
        graph.inputs().forEach(value -> out.message(11, value(value)));
        graph.outputs().forEach(value -> out.message(12, value(value)));
        return out;
    }

    private static Protobuf node(OnnxGraph.Node node) {
        Protobuf out = new Protobuf();
        node.inputs().forEach(input -> out.string(1, input));
        node.outputs().forEach(output -> out.string(2, output));
        out.string(3, node.outputs().getFirst()).string(4, node.operator());
        node.attributes().forEach((name, value) -> out.message(5, attribute(name, value)));
        return out.string(7, node.domain());
    }

    private static Protobuf attribute(String name, Object value) {
        Protobuf out = new Protobuf().string(1, name);
        return switch (value) {
            case Float number -> out.float32(2, number).integer(20, 1);
            case Long number -> out.integer(3, number).integer(20, 2);
            case List<?> numbers -> {
                numbers.forEach(number -> out.integer(8, (Long) number));
                yield out.integer(20, 7);
            }
            default -> throw new IllegalArgumentException("attribute " + name + " is neither a number nor a list");
        };
    }

    private static Protobuf value(OnnxGraph.Value value) {
        Protobuf shape = new Protobuf();
        for (Object dimension : value.shape()) {
            shape.message(
                    1,
                    dimension instanceof Long size
                            ? new Protobuf().integer(1, size)
                            : new Protobuf().string(2, dimension.toString()));
        }
        Protobuf tensor = new Protobuf().integer(1, value.type().code()).message(2, shape);
        return new Protobuf().string(1, value.name()).message(2, new Protobuf().message(1, tensor));
    }

    private static Protobuf tensor(Initializer initializer) {
        Protobuf out = new Protobuf();
        initializer.shape().forEach(dimension -> out.integer(1, dimension));
        return out.integer(2, initializer.type().code()).string(8, initializer.name());
    }

    private static Protobuf entry(String key, String value) {
        return new Protobuf().string(1, key).string(2, value);
    }

    private static byte[] concatenate(byte[] first, byte[] second) {
        byte[] both = new byte[first.length + second.length];
        System.arraycopy(first, 0, both, 0, first.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /** Checks that each constant has the announced length: a wrong one would make the file unreadable. */
    private static final class CountingStream extends FilterOutputStream {

        private final LongConsumer progress;
        private long written;
        private long constants;

        CountingStream(OutputStream out, LongConsumer progress) {
            super(new BufferedOutputStream(out, BUFFER_BYTES));
            this.progress = progress;
        }

        @Override
        public void write(int b) throws IOException {
            out.write(b);
            written++;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            out.write(bytes, offset, length);
            written += length;
        }

        void constant(Initializer initializer) throws IOException {
            long before = written;
            initializer.source().writeTo(this);
            countConstant(initializer, written - before);
        }

        void countConstant(Initializer initializer, long bytes) {
            if (bytes != initializer.byteLength()) {
                throw new IllegalStateException("constant %s has %d bytes instead of %d"
                        .formatted(initializer.name(), bytes, initializer.byteLength()));
            }
            constants += bytes;
            progress.accept(constants);
        }
    }
}
