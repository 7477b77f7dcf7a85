package dev.corral.quantization.graph;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Writes one protobuf message (encoding: protobuf.dev/programming-guides/encoding). A dozen fields of ONNX are all that
 * is needed; the published Java classes for them are shaded into a large library or stale.
 */
public final class Protobuf {

    private static final int VARINT = 0;
    private static final int LENGTH_DELIMITED = 2;
    private static final int FIXED32 = 5;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    public Protobuf integer(int field, long value) {
        tag(field, VARINT);
        varint(value);
        return this;
    }

    public Protobuf float32(int field, float value) {
        tag(field, FIXED32);
        bytes.writeBytes(ByteBuffer.allocate(Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(value)
                .array());
        return this;
    }

    public Protobuf string(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    public Protobuf message(int field, Protobuf message) {
        return bytes(field, message.toByteArray());
    }

    public Protobuf bytes(int field, byte[] value) {
        header(field, value.length);
        bytes.writeBytes(value);
        return this;
    }

    /** Announces a field of that many bytes, which the caller writes behind this message. */
    public Protobuf header(int field, long length) {
        tag(field, LENGTH_DELIMITED);
        varint(length);
        return this;
    }

    public byte[] toByteArray() {
        return bytes.toByteArray();
    }

    private void tag(int field, int wireType) {
        varint(((long) field << 3) | wireType);
    }

    private void varint(long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            bytes.write((int) ((rest & 0x7F) | 0x80));
            rest >>>= 7;
        }
        bytes.write((int) rest);
    }
}
