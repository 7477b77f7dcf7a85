package dev.corral.quantization.executorch;

import dev.corral.quantization.checkpoint.CheckpointException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A flatbuffer that nobody vouches for (format: google/flatbuffers:docs/source/internals.md), read without generated
 * code.
 *
 * <p>Generated readers trust every offset. Here each one is compared with the buffer's end before it is followed, a field
 * must lie within its table and a vector within the buffer. Offsets that lead backward, or to the same place from a
 * million others, cost an attacker nothing, so what is looked at is counted: all entries of vectors and all bytes of
 * texts together are at most a number that is many times what an honest buffer needs. As readers follow a schema, which
 * is no deeper than its tables, circles end by themselves.
 */
final class Flatbuffer {

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment bytes;
    private final String origin;
    private final long mostEntries;
    private long entries;

    /**
     * A buffer.
     *
     * @param origin its name for messages, such as the file's
     * @param mostEntries entries of vectors and bytes of texts that are read of it, all together
     */
    Flatbuffer(MemorySegment bytes, String origin, long mostEntries) {
        this.bytes = bytes;
        this.origin = origin;
        this.mostEntries = mostEntries;
    }

    /** The table that everything hangs on. */
    Table root(String name) {
        return table(offset(0, name), name);
    }

    /** A complaint about a place in the buffer. */
    CheckpointException damaged(String place, String what) {
        return new CheckpointException("%s is damaged: %s %s; bring the file again".formatted(origin, place, what));
    }

    /** What the offset at a place leads to; from there on at least 4 bytes are in the buffer. */
    private long offset(long at, String place) {
        requireInside(at, Integer.BYTES, place);
        long target = at + Integer.toUnsignedLong(bytes.get(INT, at));
        requireInside(target, Integer.BYTES, place);
        return target;
    }

    private void requireInside(long at, long length, String place) {
        if (at < 0 || length < 0 || at > bytes.byteSize() - length) {
            throw damaged(
                    place, "lies at byte %d, beyond the %d bytes of its flatbuffer".formatted(at, bytes.byteSize()));
        }
    }

    private void spend(long more, String place) {
        entries += more;
        if (entries > mostEntries) {
            throw damaged(
                    place,
                    "has %d entries, which with those before are more than %d, and more than any model needs"
                            .formatted(more, mostEntries));
        }
    }

    private Table table(long at, String place) {
        long vtable = at - bytes.get(INT, at);
        requireInside(vtable, 2 * Short.BYTES, place);
        int vtableBytes = Short.toUnsignedInt(bytes.get(SHORT, vtable));
        int tableBytes = Short.toUnsignedInt(bytes.get(SHORT, vtable + Short.BYTES));
        if (vtableBytes < 2 * Short.BYTES || tableBytes < Integer.BYTES) {
            throw damaged(place, "is a table of %d bytes with a vtable of %d".formatted(tableBytes, vtableBytes));
        }
        requireInside(vtable, vtableBytes, place);
        requireInside(at, tableBytes, place);
        return new Table(at, vtable, vtableBytes / Short.BYTES - 2, tableBytes, place);
    }

    /** A table; slots are numbered as the fields of the schema, of which a union takes two. */
    final class Table {

        private final long at;
        private final long vtable;
        private final int slots;
        private final int size;
        private final String place;

        private Table(long at, long vtable, int slots, int size, String place) {
            this.at = at;
            this.vtable = vtable;
            this.slots = slots;
            this.size = size;
            this.place = place;
        }

        /** Where it stands, for messages. */
        String place() {
            return place;
        }

        CheckpointException damaged(String what) {
            return Flatbuffer.this.damaged(place, what);
        }

        CheckpointException unsupported(String what) {
            return new CheckpointException("%s: %s %s, which is not supported".formatted(origin, place, what));
        }

        boolean has(int slot) {
            return slot < slots && bytes.get(SHORT, vtable + (2L + slot) * Short.BYTES) != 0;
        }

        /** The place of a field's bytes, or -1 where it is left out. */
        private long field(int slot, int length) {
            if (!has(slot)) {
                return -1;
            }
            int offset = Short.toUnsignedInt(bytes.get(SHORT, vtable + (2L + slot) * Short.BYTES));
            if (offset < Integer.BYTES || offset + length > size) {
                throw damaged("has its field %d at byte %d of its %d".formatted(slot, offset, size));
            }
            return at + offset;
        }

        /** An unsigned byte; 0 where it is left out. */
        int unsignedByte(int slot) {
            long field = field(slot, Byte.BYTES);
            return field < 0 ? 0 : Byte.toUnsignedInt(bytes.get(ValueLayout.JAVA_BYTE, field));
        }

        /** A number of 16 bits; 0 where it is left out. */
        int shortInteger(int slot) {
            long field = field(slot, Short.BYTES);
            return field < 0 ? 0 : bytes.get(SHORT, field);
        }

        /** A number of 32 bits; 0 where it is left out. */
        int integer(int slot) {
            long field = field(slot, Integer.BYTES);
            return field < 0 ? 0 : bytes.get(INT, field);
        }

        /** An unsigned number of 32 bits; 0 where it is left out. */
        long unsignedInteger(int slot) {
            return Integer.toUnsignedLong(integer(slot));
        }

        /** A number of 64 bits; 0 where it is left out. One that is unsigned shows as negative beyond 2^63. */
        long longInteger(int slot) {
            long field = field(slot, Long.BYTES);
            return field < 0 ? 0 : bytes.get(LONG, field);
        }

        /** A floating-point number; 0 where it is left out. */
        double real(int slot) {
            long field = field(slot, Double.BYTES);
            return field < 0 ? 0 : bytes.get(DOUBLE, field);
        }

        Optional<Table> table(int slot, String name) {
            long field = field(slot, Integer.BYTES);
            String inner = place + "." + name;
            return field < 0
                    ? Optional.empty()
                    : Optional.of(Flatbuffer.this.table(Flatbuffer.this.offset(field, inner), inner));
        }

        Table requireTable(int slot, String name) {
            return table(slot, name).orElseThrow(() -> damaged("has no " + name));
        }

        /** The tables of a vector; none where it is left out. */
        List<Table> tables(int slot, String name) {
            MemorySegment offsets = elements(slot, name, Integer.BYTES, true);
            int count = Math.toIntExact(offsets.byteSize() / Integer.BYTES);
            long first = offsets.address() - bytes.address();
            List<Table> tables = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                String inner = "%s.%s[%d]".formatted(place, name, i);
                long offset = Flatbuffer.this.offset(first + (long) i * Integer.BYTES, inner);
                tables.add(Flatbuffer.this.table(offset, inner));
            }
            return tables;
        }

        /** The numbers of 32 bits of a vector; none where it is left out. */
        int[] integers(int slot, String name) {
            return elements(slot, name, Integer.BYTES, true).toArray(INT);
        }

        /** The numbers of 64 bits of a vector; none where it is left out. */
        long[] longIntegers(int slot, String name) {
            return elements(slot, name, Long.BYTES, true).toArray(LONG);
        }

        /** The bytes of a vector, uncopied; none where it is left out. */
        MemorySegment bytes(int slot, String name, int elementBytes) {
            return elements(slot, name, elementBytes, false);
        }

        /** A text; empty where it is left out. */
        String text(int slot, String name) {
            byte[] text = elements(slot, name, Byte.BYTES, true).toArray(ValueLayout.JAVA_BYTE);
            return new String(text, StandardCharsets.UTF_8);
        }

        private MemorySegment elements(int slot, String name, int elementBytes, boolean counted) {
            long field = field(slot, Integer.BYTES);
            if (field < 0) {
                return bytes.asSlice(0, 0);
            }
            String inner = place + "." + name;
            long vector = Flatbuffer.this.offset(field, inner);
            long count = Integer.toUnsignedLong(bytes.get(INT, vector));
            long length = count * elementBytes;
            if (length > bytes.byteSize() - vector - Integer.BYTES) {
                throw Flatbuffer.this.damaged(
                        inner,
                        "claims %d entries, more than the %d bytes of its flatbuffer hold"
                                .formatted(count, bytes.byteSize()));
            }
            if (counted) {
                spend(count, inner);
            }
            return bytes.asSlice(vector + Integer.BYTES, length);
        }
    }
}
