package dev.corral.gateway.dialect;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** The lines of newline-delimited JSON: each keeps the line feed that ends it. */
public final class NdjsonFrames implements FrameSplitter {

    private final int maxBytes;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    /**
     * Lines up to a limit.
     *
     * @param maxBytes of one line, at least 1
     */
    public NdjsonFrames(int maxBytes) {
        if (maxBytes < 1) {
            throw new IllegalArgumentException("the limit of a line must be at least 1 byte: " + maxBytes);
        }
        this.maxBytes = maxBytes;
    }

    /** A value as a line. */
    public static byte[] frame(JsonNode value) {
        ByteArrayOutputStream frame = new ByteArrayOutputStream();
        frame.writeBytes(StrictJson.bytes(value));
        frame.write('\n');
        return frame.toByteArray();
    }

    @Override
    public List<byte[]> split(byte[] chunk) {
        List<byte[]> frames = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < chunk.length; i++) {
            if (chunk[i] == '\n') {
                keep(chunk, start, i + 1);
                frames.add(cut());
                start = i + 1;
            }
        }
        keep(chunk, start, chunk.length);
        return frames;
    }

    @Override
    public Optional<byte[]> flush() {
        return line.size() == 0 ? Optional.empty() : Optional.of(cut());
    }

    private byte[] cut() {
        byte[] whole = line.toByteArray();
        line.reset();
        return whole;
    }

    private void keep(byte[] chunk, int from, int to) {
        if (line.size() + (to - from) > maxBytes) {
            throw new DialectException(GatewayError.upstream("the upstream sent a line of more than " + maxBytes
                    + " bytes; the stream was ended, because a line is judged as a whole or not at all"));
        }
        line.write(chunk, from, to - from);
    }
}
