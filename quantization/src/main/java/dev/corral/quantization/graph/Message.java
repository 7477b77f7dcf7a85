package dev.corral.quantization.graph;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One protobuf message (encoding: protobuf.dev/programming-guides/encoding), read no deeper than asked for, so that
 * weights of gigabytes are stepped over.
 */
public record Message(MemorySegment bytes) {

    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int LENGTH_DELIMITED = 2;
    private static final int FIXED32 = 5;

    /**
     * A field.
     *
     * @param value of a number; 0 for any other field
     * @param content of a string, of bytes or of a message; empty for a number
     */
    public record Field(int number, int wireType, long value, MemorySegment content) {

        public String text() {
            return new String(content.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        }

        public Message message() {
            return new Message(content);
        }

        public boolean isNumber() {
            return wireType == VARINT;
        }
    }

    /** All fields in their order. */
    public List<Field> fields() {
        List<Field> fields = new ArrayList<>();
        Cursor cursor = new Cursor(bytes);
        while (cursor.position < bytes.byteSize()) {
            fields.add(cursor.field());
        }
        return fields;
    }

    /** The fields of one number. */
    public List<Field> fields(int number) {
        return fields().stream().filter(field -> field.number == number).toList();
    }

    public Optional<Field> field(int number) {
        return fields(number).stream().findFirst();
    }

    /** Whole numbers of a repeated field, packed or not. */
    public List<Long> numbers(int number) {
        List<Long> numbers = new ArrayList<>();
        for (Field field : fields(number)) {
            if (field.isNumber()) {
                numbers.add(field.value);
            } else {
                Cursor packed = new Cursor(field.content);
                while (packed.position < field.content.byteSize()) {
                    numbers.add(packed.varint());
                }
            }
        }
        return numbers;
    }

    private static final class Cursor {

        private final MemorySegment bytes;
        private long position;

        Cursor(MemorySegment bytes) {
            this.bytes = bytes;
        }

        Field field() {
            long tag = varint();
            int number = (int) (tag >>> 3);
            int wireType = (int) (tag & 7);
            return switch (wireType) {
                case VARINT -> new Field(number, wireType, varint(), MemorySegment.NULL);
                case FIXED64 -> new Field(number, wireType, 0, slice(Long.BYTES));
                case LENGTH_DELIMITED -> new Field(number, wireType, 0, slice(varint()));
                case FIXED32 -> new Field(number, wireType, 0, slice(Integer.BYTES));
                default -> throw new IllegalArgumentException("no protobuf message: wire type " + wireType);
            };
        }

        private MemorySegment slice(long length) {
            MemorySegment slice = bytes.asSlice(position, length);
            position += length;
            return slice;
        }

        long varint() {
            long value = 0;
            for (int shift = 0; shift < Long.SIZE; shift += 7) {
                byte next = bytes.get(ValueLayout.JAVA_BYTE, position++);
                value |= (long) (next & 0x7F) << shift;
                if (next >= 0) {
                    return value;
                }
            }
            throw new IllegalArgumentException("no protobuf message: a number of more than 64 bits");
        }
    }
}
