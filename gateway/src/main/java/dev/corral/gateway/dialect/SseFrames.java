package dev.corral.gateway.dialect;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The events of an event stream: each keeps its line ends and the blank line that ends it. */
public final class SseFrames implements FrameSplitter {

    /** 1 MiB: room for an event with a long tool call; a model's ordinary event has some hundred bytes. */
    public static final int DEFAULT_MAX_BYTES = 1 << 20;

    // A line ends with \n, \r\n or \r; an event ends with an empty line. A \r may be the first half of a \r\n whose
    // second half has not come yet, so an empty line that ends with \r is only known to be complete at the next byte.
    // Waiting for it makes the frames independent of the chunks; it costs latency only for senders that use a bare \r,
    // which none of today's do.
    private final int maxBytes;
    private final ByteArrayOutputStream frame = new ByteArrayOutputStream();
    private boolean lineIsEmpty = true;
    private boolean afterCarriageReturn;
    private boolean complete;

    public SseFrames() {
        this(DEFAULT_MAX_BYTES);
    }

    /**
     * With another limit.
     *
     * @param maxBytes of one event, at least 1
     */
    public SseFrames(int maxBytes) {
        if (maxBytes < 1) {
            throw new IllegalArgumentException("the limit of an event must be at least 1 byte: " + maxBytes);
        }
        this.maxBytes = maxBytes;
    }

    @Override
    public List<byte[]> split(byte[] chunk) {
        List<byte[]> frames = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < chunk.length; i++) {
            byte next = chunk[i];
            boolean secondHalf = afterCarriageReturn && next == '\n';
            if (complete && !secondHalf) {
                frames.add(cut(chunk, start, i));
                start = i;
            }
            if (!secondHalf) {
                boolean lineEnd = next == '\n' || next == '\r';
                complete = lineEnd && lineIsEmpty;
                lineIsEmpty = lineEnd;
            }
            afterCarriageReturn = next == '\r';
            if (complete && next == '\n') {
                frames.add(cut(chunk, start, i + 1));
                start = i + 1;
            }
        }
        keep(chunk, start, chunk.length);
        return frames;
    }

    @Override
    public Optional<byte[]> flush() {
        Optional<byte[]> rest = frame.size() == 0 ? Optional.empty() : Optional.of(cut(new byte[0], 0, 0));
        lineIsEmpty = true;
        afterCarriageReturn = false;
        return rest;
    }

    private byte[] cut(byte[] chunk, int from, int to) {
        keep(chunk, from, to);
        byte[] whole = frame.toByteArray();
        frame.reset();
        complete = false;
        return whole;
    }

    private void keep(byte[] chunk, int from, int to) {
        if (frame.size() + (to - from) > maxBytes) {
            throw new DialectException(GatewayError.upstream("the upstream sent an event of more than " + maxBytes
                    + " bytes; the stream was ended, because an event is judged as a whole or not at all"));
        }
        frame.write(chunk, from, to - from);
    }
}
