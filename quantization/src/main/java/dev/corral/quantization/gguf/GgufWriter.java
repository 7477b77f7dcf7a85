package dev.corral.quantization.gguf;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.quantization.checkpoint.Quantised;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Writes a GGUF file of version 3 (format: {@code ggml-org/ggml:docs/gguf.md}). A tensor's rows are made when it is their
 * turn, so that nothing is held in memory.
 */
final class GgufWriter {

    private static final int BUFFER_BYTES = 1 << 20;

    private final ByteArrayOutputStream metadata = new ByteArrayOutputStream();
    private final List<Entry> entries = new ArrayList<>();
    private int keys;

    /** Puts the bytes of one row. */
    @FunctionalInterface
    interface RowWriter {
        void put(int row, ByteBuffer target);
    }

    /** A tensor, its rows and columns; a vector has one row. */
    private record Entry(String name, GgmlType type, List<Long> shape, int rows, int rowBytes, RowWriter writer) {

        long bytes() {
            return (long) rows * rowBytes;
        }
    }

    GgufWriter text(String key, String value) {
        key(key, Metadata.Type.STRING);
        writeText(value);
        return this;
    }

    GgufWriter uint32(String key, int value) {
        key(key, Metadata.Type.UINT32);
        int32(value);
        return this;
    }

    GgufWriter float32(String key, float value) {
        key(key, Metadata.Type.FLOAT32);
        int32(Float.floatToRawIntBits(value));
        return this;
    }

    GgufWriter flag(String key, boolean value) {
        key(key, Metadata.Type.BOOL);
        metadata.write(value ? 1 : 0);
        return this;
    }

    GgufWriter texts(String key, List<String> values) {
        array(key, Metadata.Type.STRING, values.size());
        values.forEach(this::writeText);
        return this;
    }

    GgufWriter int32s(String key, List<Integer> values) {
        array(key, Metadata.Type.INT32, values.size());
        values.forEach(this::int32);
        return this;
    }

    /** Adds a vector of float32. */
    GgufWriter vector(String name, float[] values) {
        entries.add(new Entry(
                name, GgmlType.F32, List.of((long) values.length), 1, values.length * Float.BYTES, (_, target) -> {
                    for (float value : values) {
                        target.putFloat(value);
                    }
                }));
        return this;
    }

    /** Adds a matrix, whose rows are whole blocks. */
    GgufWriter matrix(String name, GgmlType type, int rows, int columns, RowWriter writer) {
        int rowBytes = columns / type.elements() * type.bytes();
        entries.add(new Entry(name, type, List.of((long) rows, (long) columns), rows, rowBytes, writer));
        return this;
    }

    /** Bytes of all tensors. */
    long bytes() {
        return entries.stream().mapToLong(Entry::bytes).sum();
    }

    /** Writes the file, which must not exist yet; {@code progress} is told each row's bytes. */
    void write(Path file, IntConsumer progress) throws IOException {
        ByteArrayOutputStream directory = new ByteArrayOutputStream();
        long offset = 0;
        for (Entry entry : entries) {
            byte[] name = entry.name.getBytes(UTF_8);
            byte[] bytes = new byte
                    [Long.BYTES
                            + name.length
                            + Integer.BYTES
                            + Long.BYTES * entry.shape.size()
                            + Integer.BYTES
                            + Long.BYTES];
            ByteBuffer line = littleEndian(bytes);
            line.putLong(name.length).put(name).putInt(entry.shape.size());
            entry.shape.reversed().forEach(line::putLong);
            line.putInt(entry.type.code()).putLong(offset);
            directory.writeBytes(bytes);
            offset = GgufFile.align(offset + entry.bytes(), GgufFile.DEFAULT_ALIGNMENT);
        }
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), BUFFER_BYTES)) {
            byte[] header = new byte[2 * Integer.BYTES + 2 * Long.BYTES];
            littleEndian(header)
                    .putInt(GgufFile.MAGIC)
                    .putInt(GgufFile.NEWEST_VERSION)
                    .putLong(entries.size())
                    .putLong(keys);
            out.write(header);
            metadata.writeTo(out);
            directory.writeTo(out);
            pad(out, header.length + metadata.size() + (long) directory.size());
            for (Entry entry : entries) {
                byte[] row = new byte[entry.rowBytes];
                ByteBuffer target = littleEndian(row);
                for (int r = 0; r < entry.rows; r++) {
                    entry.writer.put(r, target.clear());
                    out.write(row);
                    progress.accept(entry.rowBytes);
                }
                pad(out, entry.bytes());
            }
        }
    }

    /** The rows of a matrix in blocks of 32 with a scale of 16 bits, whose numbers are there: Q4_0, Q4_1 or Q8_0. */
    static RowWriter blocks(Quantised stored, int columns) {
        Quantised.Layout layout = stored.layout();
        int size = GgmlType.Q4_0.elements();
        int perScale = layout.blockSize() / size;
        byte[] numbers = new byte[columns];
        float[] scales = new float[columns / layout.blockSize()];
        return (row, target) -> {
            stored.numbers(row, numbers);
            stored.scales(row, scales);
            for (int block = 0; block < columns / size; block++) {
                target.putShort(Float.floatToFloat16(scales[block / perScale]));
                if (layout.bits() == Byte.SIZE) {
                    target.put(numbers, block * size, size);
                } else {
                    for (int i = block * size; i < block * size + size / 2; i++) {
                        target.put((byte) (numbers[i] + 8 | (numbers[i + size / 2] + 8) << 4));
                    }
                }
            }
        };
    }

    /** Whether {@link #blocks} can write these numbers, and as what. */
    static boolean fits(Quantised.Layout layout, int columns) {
        return layout.halfScales()
                && !layout.offsets()
                && layout.blockSize() % GgmlType.Q4_0.elements() == 0
                && columns % layout.blockSize() == 0;
    }

    private void key(String key, Metadata.Type type) {
        keys++;
        writeText(key);
        int32(type.code());
    }

    private void array(String key, Metadata.Type element, long count) {
        key(key, Metadata.Type.ARRAY);
        int32(element.code());
        int64(count);
    }

    private void writeText(String value) {
        byte[] utf8 = value.getBytes(UTF_8);
        int64(utf8.length);
        metadata.writeBytes(utf8);
    }

    private void int32(int value) {
        byte[] bytes = new byte[Integer.BYTES];
        littleEndian(bytes).putInt(value);
        metadata.writeBytes(bytes);
    }

    private void int64(long value) {
        byte[] bytes = new byte[Long.BYTES];
        littleEndian(bytes).putLong(value);
        metadata.writeBytes(bytes);
    }

    private static void pad(OutputStream out, long written) throws IOException {
        out.write(new byte[(int) (GgufFile.align(written, GgufFile.DEFAULT_ALIGNMENT) - written)]);
    }

    private static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
