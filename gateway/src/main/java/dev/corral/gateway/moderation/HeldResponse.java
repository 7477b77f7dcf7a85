package dev.corral.gateway.moderation;

import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.http.server.reactive.ServerHttpResponseDecorator;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A response whose status and headers are its own until the first bytes of its body are there. What an upstream says about
 * an answer that never leaves is then nowhere: neither in a refusal, nor in the hands of two threads.
 */
final class HeldResponse extends ServerHttpResponseDecorator {

    private final HttpHeaders headers = new HttpHeaders();
    private volatile @Nullable HttpStatusCode status;

    HeldResponse(ServerHttpResponse delegate) {
        super(delegate);
    }

    @Override
    public HttpHeaders getHeaders() {
        return headers;
    }

    @Override
    public boolean setStatusCode(@Nullable HttpStatusCode status) {
        this.status = status;
        return true;
    }

    @Override
    public @Nullable HttpStatusCode getStatusCode() {
        return status;
    }

    @Override
    public Mono<Void> writeWith(Publisher<? extends DataBuffer> body) {
        return super.writeWith(withHead(body));
    }

    @Override
    public Mono<Void> writeAndFlushWith(Publisher<? extends Publisher<? extends DataBuffer>> body) {
        return super.writeAndFlushWith(withHead(body));
    }

    /** The framework looks at the first signal of a body before it sends the head. */
    private <T> Flux<T> withHead(Publisher<? extends T> body) {
        return Flux.<T>from(body).switchOnFirst((first, all) -> {
            if (!first.isOnError()) {
                getDelegate().setStatusCode(status);
                getDelegate().getHeaders().putAll(headers);
            }
            return all;
        });
    }
}
