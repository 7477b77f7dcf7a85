package dev.corral.quantization.gguf;

import dev.corral.quantization.checkpoint.CheckpointException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The keys of a GGUF file and where their values lie; a value is read when it is asked for
 * (format: {@code ggml-org/ggml:docs/gguf.md}).
 */
final class Metadata {

    /** Far more than any model has: some hundred. */
    private static final int MOST_KEYS = 1 << 16;

    private static final int LONGEST_KEY = 1024;
    private static final int LONGEST_TEXT = 1 << 24;
    private static final int MOST_ELEMENTS = 1 << 24;
    private static final int DEEPEST_ARRAY = 4;
    private static final int LEAST_KEY_BYTES = Long.BYTES + Integer.BYTES + 1;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment bytes;
    private final String file;
    private final Map<String, Value> values;

    private Metadata(MemorySegment bytes, String file, Map<String, Value> values) {
        this.bytes = bytes;
        this.file = file;
        this.values = values;
    }

    /** The types of values, with their numbers and the bytes of one; 0 where that varies. */
    enum Type {
        UINT8(0, 1),
        INT8(1, 1),
        UINT16(2, 2),
        INT16(3, 2),
        UINT32(4, 4),
        INT32(5, 4),
        FLOAT32(6, 4),
        BOOL(7, 1),
        STRING(8, 0),
        ARRAY(9, 0),
        UINT64(10, 8),
        INT64(11, 8),
        FLOAT64(12, 8);

        private final int code;
        private final int bytes;

        Type(int code, int bytes) {
            this.code = code;
            this.bytes = bytes;
        }

        int code() {
            return code;
        }

        private static Type read(Cursor cursor, String what) {
            int code = cursor.int32("the type of " + what);
            return Arrays.stream(values())
                    .filter(type -> type.code == code)
                    .findFirst()
                    .orElseThrow(
                            () -> cursor.damaged("%s has the type %d, which does not exist".formatted(what, code)));
        }
    }

    /**
     * A value.
     *
     * @param element what an array has; the type itself of other values
     * @param count elements of an array; 1 of other values
     * @param at the place of the first element
     */
    private record Value(Type type, Type element, int count, long at) {}

    /** Reads the keys, and goes on behind the last value. */
    static Metadata read(MemorySegment bytes, String file, Cursor cursor, int count) {
        Map<String, Value> values = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            String key = cursor.name("key " + (i + 1) + " of " + count, LONGEST_KEY);
            Type type = Type.read(cursor, "key '" + key + "'");
            if (values.put(key, value(cursor, type, "key '" + key + "'", DEEPEST_ARRAY)) != null) {
                throw cursor.damaged("the key '%s' is there twice".formatted(key));
            }
        }
        return new Metadata(bytes, file, values);
    }

    /** The number of keys that the file claims. */
    static int count(Cursor cursor) {
        return cursor.count("metadata keys", LEAST_KEY_BYTES, MOST_KEYS);
    }

    private static Value value(Cursor cursor, Type type, String what, int depth) {
        return switch (type) {
            case STRING -> {
                long at = cursor.position();
                skipText(cursor, what);
                yield new Value(type, type, 1, at);
            }
            case ARRAY -> array(cursor, what, depth);
            default -> new Value(type, type, 1, cursor.advance(type.bytes, what));
        };
    }

    private static Value array(Cursor cursor, String what, int depth) {
        if (depth == 0) {
            throw cursor.damaged("%s has arrays within arrays, deeper than %d".formatted(what, DEEPEST_ARRAY));
        }
        Type element = Type.read(cursor, "the elements of " + what);
        int least = switch (element) {
            case STRING -> Long.BYTES;
            case ARRAY -> Integer.BYTES + Long.BYTES;
            default -> element.bytes;
        };
        int count = cursor.count("elements of " + what, least, MOST_ELEMENTS);
        long at = cursor.position();
        switch (element) {
            case STRING -> {
                for (int i = 0; i < count; i++) {
                    skipText(cursor, what);
                }
            }
            case ARRAY -> {
                for (int i = 0; i < count; i++) {
                    array(cursor, what, depth - 1);
                }
            }
            default -> cursor.advance((long) count * element.bytes, what);
        }
        return new Value(Type.ARRAY, element, count, at);
    }

    private static void skipText(Cursor cursor, String what) {
        cursor.advance(cursor.int64("the length of a text of " + what), "a text of " + what);
    }

    boolean has(String key) {
        return values.containsKey(key);
    }

    boolean isArray(String key) {
        Value value = values.get(key);
        return value != null && value.type == Type.ARRAY;
    }

    /** A text, or empty where there is no such key. */
    Optional<String> text(String key) {
        return find(key, Type.STRING)
                .map(value -> new Cursor(bytes, file, value.at).text("'" + key + "'", LONGEST_TEXT));
    }

    /** A truth value, or empty where there is no such key. */
    Optional<Boolean> flag(String key) {
        return find(key, Type.BOOL).map(value -> bytes.get(ValueLayout.JAVA_BYTE, value.at) != 0);
    }

    /** A whole number, or empty where there is no such key. */
    Optional<Long> integer(String key) {
        return Optional.ofNullable(values.get(key)).map(value -> integer(key, value, 0));
    }

    /** A positive number of something that fits into memory; a clear error where there is none. */
    int size(String key) {
        long size = integer(key).orElseThrow(() -> missing(key));
        return size(key, size);
    }

    /** A positive number of something that fits into memory. */
    int size(String key, long size) {
        if (size < 1 || size > Integer.MAX_VALUE) {
            throw wrong(key, "be a number from 1 to " + Integer.MAX_VALUE, size);
        }
        return (int) size;
    }

    /** A number, or empty where there is no such key. */
    Optional<Double> number(String key) {
        return Optional.ofNullable(values.get(key)).map(value -> switch (value.type) {
            case FLOAT32 -> (double) bytes.get(FLOAT, value.at);
            case FLOAT64 -> bytes.get(DOUBLE, value.at);
            default -> (double) integer(key, value, 0);
        });
    }

    /** The whole numbers of an array, or empty where there is no such key. */
    Optional<long[]> integers(String key) {
        return find(key, Type.ARRAY).map(value -> {
            long[] numbers = new long[value.count];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = integer(key, value, i);
            }
            return numbers;
        });
    }

    /** The texts of an array, or empty where there is no such key. */
    Optional<List<String>> texts(String key) {
        return find(key, Type.ARRAY).map(value -> {
            if (value.element != Type.STRING) {
                throw wrong(key, "hold texts", value.element);
            }
            Cursor cursor = new Cursor(bytes, file, value.at);
            List<String> texts = new ArrayList<>(value.count);
            for (int i = 0; i < value.count; i++) {
                texts.add(cursor.text("text %d of '%s'".formatted(i, key), LONGEST_TEXT));
            }
            return texts;
        });
    }

    /** Says that a key is missing. */
    CheckpointException missing(String key) {
        return new CheckpointException(
                "%s has no metadata key '%s': it is not a whole Llama model".formatted(file, key));
    }

    /** Says that a value is not supported. */
    CheckpointException wrong(String key, String must, Object found) {
        return new CheckpointException(
                "%s: '%s' must %s: %s".formatted(file, key, must, Cursor.oneLine(String.valueOf(found))));
    }

    private Optional<Value> find(String key, Type type) {
        Value value = values.get(key);
        if (value != null && value.type != type) {
            throw wrong(key, "be of type " + type, value.type);
        }
        return Optional.ofNullable(value);
    }

    private long integer(String key, Value value, int index) {
        long at = value.at + (long) index * value.element.bytes;
        return switch (value.element) {
            case UINT8 -> Byte.toUnsignedLong(bytes.get(ValueLayout.JAVA_BYTE, at));
            case INT8 -> bytes.get(ValueLayout.JAVA_BYTE, at);
            case UINT16 -> Short.toUnsignedLong(bytes.get(SHORT, at));
            case INT16 -> bytes.get(SHORT, at);
            case UINT32 -> Integer.toUnsignedLong(bytes.get(INT, at));
            case INT32 -> bytes.get(INT, at);
            case UINT64, INT64 -> bytes.get(LONG, at);
            case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> throw wrong(key, "be a whole number", value.element);
        };
    }
}
