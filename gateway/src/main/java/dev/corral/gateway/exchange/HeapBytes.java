package dev.corral.gateway.exchange;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import java.io.ByteArrayOutputStream;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Where Netty's counted buffers become arrays: as soon as they come, so that no cancellation can leak one. */
public final class HeapBytes {

    private HeapBytes() {}

    /** The bytes of a buffer, which is released. */
    public static byte[] take(DataBuffer buffer) {
        try {
            byte[] bytes = new byte[buffer.readableByteCount()];
            buffer.read(bytes);
            return bytes;
        } finally {
            DataBufferUtils.release(buffer);
        }
    }

    /**
     * All chunks together; an empty array where there are none.
     *
     * @param tooLarge what is said when there are more than {@code maxBytes}
     */
    public static Mono<byte[]> join(Flux<byte[]> chunks, long maxBytes, GatewayError tooLarge) {
        return chunks.collect(ByteArrayOutputStream::new, (whole, chunk) -> {
                    if (whole.size() + (long) chunk.length > maxBytes) {
                        throw new DialectException(tooLarge);
                    }
                    whole.writeBytes(chunk);
                })
                .map(ByteArrayOutputStream::toByteArray);
    }
}
