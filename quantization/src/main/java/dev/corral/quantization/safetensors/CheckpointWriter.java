package dev.corral.quantization.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes weights as Hugging Face's own tools do: one {@code model.safetensors}, or shards of limited size with an index.
 * A tensor's elements are asked for when it is their turn, so nothing is held in memory.
 */
public final class CheckpointWriter {

    /** The largest shard that Hugging Face's tools write where nobody says otherwise. */
    public static final long SHARD_BYTES = 5_000_000_000L;

    private static final int ALIGNMENT = 8;

    private final long shardBytes;

    /**
     * A writer.
     *
     * @param shardBytes most bytes of tensors in a file; a larger tensor has a file of its own
     */
    public CheckpointWriter(long shardBytes) {
        this.shardBytes = shardBytes;
    }

    /**
     * A tensor to be written.
     *
     * @param shape outermost dimension first
     */
    public record Entry(String name, SafetensorsTensor.Type type, List<Long> shape) {

        public Entry {
            shape = List.copyOf(shape);
        }

        /** Number of elements. */
        public long elements() {
            return shape.stream().reduce(1L, Math::multiplyExact);
        }

        /** Size of all elements. */
        public long bytes() {
            return elements() * type.bytes();
        }
    }

    /** Where the elements come from. */
    public interface Content {

        /** Writes all elements of a tensor, little-endian, row by row. */
        void write(Entry entry, WritableByteChannel out) throws IOException;
    }

    /** Writes all tensors, in this order, into a directory that has no weights yet. */
    public void write(Path directory, List<Entry> entries, Content content) throws IOException {
        List<List<Entry>> shards = shards(entries);
        if (shards.size() == 1) {
            writeFile(directory.resolve(SafetensorsCheckpoint.SINGLE), entries, content);
            return;
        }
        ObjectNode index = JsonMapper.shared().createObjectNode();
        index.putObject("metadata")
                .put("total_size", entries.stream().mapToLong(Entry::bytes).sum());
        ObjectNode files = index.putObject("weight_map");
        for (int i = 0; i < shards.size(); i++) {
            String name = String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
            writeFile(directory.resolve(name), shards.get(i), content);
            shards.get(i).forEach(entry -> files.put(entry.name(), name));
        }
        Files.writeString(directory.resolve(SafetensorsCheckpoint.INDEX), index.toPrettyString() + "\n");
    }

    private List<List<Entry>> shards(List<Entry> entries) {
        List<List<Entry>> shards = new ArrayList<>(List.of(new ArrayList<>()));
        long bytes = 0;
        for (Entry entry : entries) {
            if (bytes > 0 && bytes + entry.bytes() > shardBytes) {
                shards.add(new ArrayList<>());
                bytes = 0;
            }
            shards.getLast().add(entry);
            bytes += entry.bytes();
        }
        return shards;
    }

    private static void writeFile(Path file, List<Entry> entries, Content content) throws IOException {
        try (FileChannel out = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer header = header(entries);
            while (header.hasRemaining()) {
                out.write(header);
            }
            for (Entry entry : entries) {
                long end = out.position() + entry.bytes();
                content.write(entry, out);
                if (out.position() != end) {
                    throw new IllegalStateException("tensor '%s' must have %d bytes, but %d were written"
                            .formatted(entry.name(), entry.bytes(), out.position() - end + entry.bytes()));
                }
            }
        }
    }

    private static ByteBuffer header(List<Entry> entries) {
        ObjectNode header = JsonMapper.shared().createObjectNode();
        header.putObject("__metadata__").put("format", "pt");
        long offset = 0;
        for (Entry entry : entries) {
            ObjectNode tensor =
                    header.putObject(entry.name()).put("dtype", entry.type().name());
            ArrayNode shape = tensor.putArray("shape");
            entry.shape().forEach(shape::add);
            tensor.putArray("data_offsets").add(offset).add(offset + entry.bytes());
            offset += entry.bytes();
        }
        String json = header.toString();
        byte[] padded = (json + " ".repeat(Math.floorMod(-json.length(), ALIGNMENT))).getBytes(UTF_8);
        return ByteBuffer.allocate(Long.BYTES + padded.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(padded.length)
                .put(padded)
                .flip();
    }
}
