package dev.corral.quantization.gguf;

import dev.corral.quantization.checkpoint.CheckpointException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A GGUF file, version 2 or 3: a header, metadata, a directory of tensors, their data
 * (format: {@code ggml-org/ggml:docs/gguf.md}).
 *
 * <p>A file comes from anywhere. So every length and count is compared with what is left of the file before anything is
 * made for it, and every sum that could wrap is checked: reading a damaged file takes no longer than reading a whole one.
 *
 * @param tensors by name, in the order of the file
 */
record GgufFile(Metadata metadata, Map<String, GgufTensor> tensors) {

    static final int MAGIC = 0x46554747;
    static final int OLDEST_VERSION = 2;
    static final int NEWEST_VERSION = 3;
    static final int DEFAULT_ALIGNMENT = 32;

    private static final int MOST_TENSORS = 1 << 16;
    private static final int LONGEST_NAME = 1024;
    private static final int MOST_DIMENSIONS = 4;
    private static final int LEAST_TENSOR_BYTES = Long.BYTES + Integer.BYTES + Long.BYTES + Integer.BYTES + Long.BYTES;

    GgufFile {
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    }

    /** Maps the file for as long as {@code arena} lives. */
    static GgufFile map(Path file, Arena arena) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return parse(file.toString(), channel.map(MapMode.READ_ONLY, 0, channel.size(), arena));
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private static GgufFile parse(String file, MemorySegment bytes) {
        Cursor cursor = new Cursor(bytes, file, 0);
        if (cursor.int32("its magic") != MAGIC) {
            throw cursor.damaged("it does not begin with GGUF");
        }
        int version = cursor.int32("its version");
        if (version < OLDEST_VERSION || version > NEWEST_VERSION) {
            String why = Integer.reverseBytes(version) <= NEWEST_VERSION && Integer.reverseBytes(version) > 0
                    ? "it is big-endian"
                    : "its version is %s, and %d and %d are known"
                            .formatted(Integer.toUnsignedString(version), OLDEST_VERSION, NEWEST_VERSION);
            throw cursor.damaged(why);
        }
        int tensorCount = cursor.count("tensors", LEAST_TENSOR_BYTES, MOST_TENSORS);
        Metadata metadata = Metadata.read(bytes, file, cursor, Metadata.count(cursor));
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < tensorCount; i++) {
            entries.add(Entry.read(cursor, i + 1, tensorCount));
        }
        long alignment = metadata.integer("general.alignment").orElse((long) DEFAULT_ALIGNMENT);
        if (alignment < 1 || alignment > 1 << 20 || Long.bitCount(alignment) != 1) {
            throw metadata.wrong("general.alignment", "be a power of two", alignment);
        }
        // a file without tensors may end before the padding
        long start = Math.min(bytes.byteSize(), align(cursor.position(), alignment));
        MemorySegment data = bytes.asSlice(start);
        Map<String, GgufTensor> tensors = new LinkedHashMap<>();
        for (Entry entry : entries) {
            if (tensors.put(entry.name, entry.tensor(cursor, data, alignment)) != null) {
                throw cursor.damaged("the tensor '%s' is there twice".formatted(entry.name));
            }
        }
        return new GgufFile(metadata, tensors);
    }

    static long align(long position, long alignment) {
        return (position + alignment - 1) & -alignment;
    }

    /**
     * A line of the directory.
     *
     * @param shape outermost dimension first
     * @param offset from the first tensor's first byte on
     */
    private record Entry(String name, int type, List<Long> shape, long offset) {

        static Entry read(Cursor cursor, int number, int count) {
            String what = "tensor %d of %d".formatted(number, count);
            String name = cursor.name("the name of " + what, LONGEST_NAME);
            int dimensions = cursor.int32("the dimensions of '%s'".formatted(name));
            if (dimensions < 1 || dimensions > MOST_DIMENSIONS) {
                throw cursor.damaged("tensor '%s' has %s dimensions, and 1 to %d are possible"
                        .formatted(name, Integer.toUnsignedString(dimensions), MOST_DIMENSIONS));
            }
            Long[] shape = new Long[dimensions];
            for (int i = dimensions - 1; i >= 0; i--) {
                shape[i] = cursor.int64("the shape of '%s'".formatted(name));
            }
            int type = cursor.int32("the type of '%s'".formatted(name));
            return new Entry(name, type, List.of(shape), cursor.int64("the place of '%s'".formatted(name)));
        }

        GgufTensor tensor(Cursor cursor, MemorySegment data, long alignment) {
            GgmlType known = GgmlType.byCode(type)
                    .orElseThrow(() -> cursor.unsupported(
                            "tensor '%s' has the type %s of ggml, which Corral does not read; it reads %s: take another file of the model"
                                    .formatted(name, Integer.toUnsignedString(type), names())));
            long columns = shape.getLast();
            long bytes;
            try {
                long elements = 1;
                for (long size : shape) {
                    if (size < 1 || size > Integer.MAX_VALUE) {
                        throw new ArithmeticException("not a size");
                    }
                    elements = Math.multiplyExact(elements, size);
                }
                bytes = Math.multiplyExact(elements / known.elements(), (long) known.bytes());
            } catch (ArithmeticException e) {
                throw cursor.damaged("tensor '%s' has the impossible shape %s".formatted(name, shape));
            }
            if (columns % known.elements() != 0) {
                throw cursor.damaged("tensor '%s' has rows of %d elements, which are no blocks of %d (%s)"
                        .formatted(name, columns, known.elements(), known));
            }
            if (offset < 0 || offset % alignment != 0) {
                throw cursor.damaged("tensor '%s' lies at byte %s of the data, which is no multiple of %d"
                        .formatted(name, Long.toUnsignedString(offset), alignment));
            }
            if (offset > data.byteSize() || bytes > data.byteSize() - offset) {
                throw cursor.damaged(
                        "tensor '%s' needs %d bytes from byte %d of the data on, which has %d: it is cut off"
                                .formatted(name, bytes, offset, data.byteSize()));
            }
            return new GgufTensor(name, known, shape, data.asSlice(offset, bytes));
        }

        private static String names() {
            return Arrays.stream(GgmlType.values()).map(Enum::name).collect(Collectors.joining(", "));
        }
    }
}
