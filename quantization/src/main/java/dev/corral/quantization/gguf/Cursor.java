package dev.corral.quantization.gguf;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.quantization.checkpoint.CheckpointException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;

/** Reads one value after the other of a mapped file. Whatever a damaged file claims, nothing beyond its end is read. */
final class Cursor {

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int LONGEST_QUOTE = 1024;

    private final MemorySegment bytes;
    private final String file;
    private long position;

    Cursor(MemorySegment bytes, String file, long position) {
        this.bytes = bytes;
        this.file = file;
        this.position = position;
    }

    long position() {
        return position;
    }

    long rest() {
        return bytes.byteSize() - position;
    }

    /** Four bytes as a whole number. */
    int int32(String what) {
        long at = advance(Integer.BYTES, what);
        return bytes.get(INT, at);
    }

    /** Eight bytes as a whole number. */
    long int64(String what) {
        long at = advance(Long.BYTES, what);
        return bytes.get(LONG, at);
    }

    /** A number of things that take at least so many bytes each. */
    int count(String what, int leastBytes, int most) {
        long count = int64("the number of " + what);
        if (count < 0 || count > most || count > rest() / leastBytes) {
            throw damaged("it claims %s %s, but %d bytes are left, and Corral reads at most %d"
                    .formatted(Long.toUnsignedString(count), what, rest(), most));
        }
        return (int) count;
    }

    /** A text with its length before it. */
    String text(String what, int most) {
        long length = int64("the length of " + what);
        if (length < 0 || length > rest() || length > most) {
            throw damaged("%s at byte %d claims a length of %s, but %d bytes are left, and Corral reads at most %d"
                    .formatted(what, position - Long.BYTES, Long.toUnsignedString(length), rest(), most));
        }
        long at = advance(length, what);
        byte[] utf8 = bytes.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE);
        try {
            return UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
        } catch (CharacterCodingException e) {
            throw damaged("%s at byte %d is not UTF-8".formatted(what, at));
        }
    }

    /** A text that names something: not empty, and of one line. */
    String name(String what, int most) {
        String name = text(what, most);
        if (name.isEmpty() || !name.equals(oneLine(name))) {
            throw damaged("%s, before byte %d, is empty or has control characters".formatted(what, position));
        }
        return name;
    }

    /** A text for a message, whatever a file holds. */
    static String oneLine(String text) {
        return text.codePoints()
                .limit(LONGEST_QUOTE)
                .map(point -> Character.isISOControl(point) ? '?' : point)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    /** Goes on behind so many bytes; gives the place of the first of them. */
    long advance(long count, String what) {
        if (count < 0 || count > rest()) {
            throw damaged("it ends at byte %d, within %s".formatted(bytes.byteSize(), what));
        }
        long at = position;
        position += count;
        return at;
    }

    CheckpointException damaged(String how) {
        return new CheckpointException(
                "%s is not a whole GGUF file that Corral can read: %s. Get it again.".formatted(file, how));
    }

    CheckpointException unsupported(String what) {
        return new CheckpointException(file + ": " + what);
    }
}
