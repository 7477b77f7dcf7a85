package dev.corral.gateway.dialect;

import java.util.List;
import java.util.Optional;

/**
 * Splits the bytes of a streamed answer into its frames, whatever the chunks they come in. Every byte comes out exactly
 * once and unchanged, and the frames do not depend on the chunks. Not thread-safe: one for each stream.
 */
public interface FrameSplitter {

    /**
     * The frames that are complete with this chunk; none, one or several.
     *
     * @throws DialectException when a frame is larger than the limit
     */
    List<byte[]> split(byte[] chunk);

    /** What is left at the end of the stream: a frame without its end, if there is one. */
    Optional<byte[]> flush();
}
