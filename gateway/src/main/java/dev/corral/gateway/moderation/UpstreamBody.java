package dev.corral.gateway.moderation;

import static org.springframework.cloud.gateway.support.ServerWebExchangeUtils.CLIENT_RESPONSE_CONN_ATTR;

import dev.corral.gateway.exchange.HeapBytes;
import java.util.concurrent.Callable;
import org.reactivestreams.Publisher;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;
import reactor.netty.Connection;

/** The body of an upstream's answer, as arrays; whoever has seen enough of it may cancel at any time, on any thread. */
final class UpstreamBody {

    /*
     * Whose connection is it? A complete answer gives its connection back to the pool, and the next exchange takes it. A
     * client that goes away at that moment, noticed by the thread of its own connection, makes the framework dispose of the
     * upstream's (NettyWriteResponseFilter.cleanup), which may be the next exchange's already: that one's client then gets a
     * 502 for somebody else's departure. A buffer that is on its way meanwhile is lost.
     *
     * So the connection is taken from the framework, and a cancellation becomes a task of the connection's own thread, on
     * which buffers come in and answers end: there, a complete answer has nothing left to cancel, and nothing is on its way.
     */

    private UpstreamBody() {}

    /** The chunks of a body that is written as one. */
    static Flux<byte[]> of(ServerWebExchange exchange, Publisher<? extends DataBuffer> body) {
        return owned(exchange, Flux.from(body).map(HeapBytes::take));
    }

    /** The chunks of a body that is flushed now and then. */
    static Flux<byte[]> ofFlushed(
            ServerWebExchange exchange, Publisher<? extends Publisher<? extends DataBuffer>> body) {
        return owned(exchange, Flux.from(body).concatMap(UpstreamBody::take, 0));
    }

    /** Gives a body up of which nothing is wanted. */
    static void discard(Flux<byte[]> body) {
        body.subscribe(_ -> {}, _ -> {}).dispose();
    }

    /** A buffer that is there already is taken at once: nobody might ask for it any more. */
    private static Publisher<byte[]> take(Publisher<? extends DataBuffer> buffers) {
        if (buffers instanceof Callable<?> present) {
            try {
                return present.call() instanceof DataBuffer buffer ? Flux.just(HeapBytes.take(buffer)) : Flux.empty();
            } catch (Exception e) {
                return Flux.error(e);
            }
        }
        return Flux.from(buffers).map(HeapBytes::take);
    }

    private static Flux<byte[]> owned(ServerWebExchange exchange, Flux<byte[]> chunks) {
        return exchange.getAttributes().remove(CLIENT_RESPONSE_CONN_ATTR) instanceof Connection connection
                ? chunks.cancelOn(Schedulers.fromExecutor(connection.channel().eventLoop()))
                : chunks;
    }
}
