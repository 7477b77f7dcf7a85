package dev.corral.gateway.dialect;

import java.util.List;

/** Takes spans out of a streamed answer, across its frames. Not thread-safe: one for each exchange. */
public interface FrameRedactor {

    /** What may leave for frames that were judged, in their order; text that may still become a part of a span stays. */
    List<byte[]> redact(List<byte[]> frames);

    /** What is left to leave: the stream is over. */
    List<byte[]> end();
}
