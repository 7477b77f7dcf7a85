package dev.corral.gateway.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;

/** A backend that does what a test says, keeps what it was sent, and notices when somebody goes away. */
public final class ScriptedUpstream implements AutoCloseable {

    /** One request as it arrived. */
    public record Received(String method, String uri, HttpHeaders headers, byte[] body) {}

    /** What to do about a request. */
    public interface Script {
        Publisher<Void> play(Received received, HttpServerRequest request, HttpServerResponse response);
    }

    public final List<Received> received = new CopyOnWriteArrayList<>();
    public final AtomicInteger cancelled = new AtomicInteger();
    public final AtomicInteger produced = new AtomicInteger();
    private volatile Script script = (_, _, response) -> response.sendNotFound();
    private final DisposableServer server;

    public ScriptedUpstream() {
        this(HttpServer.create());
    }

    /** On a server that is set up in some way, such as for TLS. */
    public ScriptedUpstream(HttpServer begun) {
        server = begun.host("127.0.0.1")
                .port(0)
                .handle((request, response) -> request.receive()
                        .aggregate()
                        .asByteArray()
                        .defaultIfEmpty(new byte[0])
                        .flatMap(body -> {
                            Received arrived = new Received(
                                    request.method().name(),
                                    request.uri(),
                                    request.requestHeaders().copy(),
                                    body);
                            received.add(arrived);
                            return Mono.from(script.play(arrived, request, response));
                        }))
                .bindNow();
    }

    public int port() {
        return server.port();
    }

    public String url() {
        return "http://127.0.0.1:" + server.port() + "/v1";
    }

    public Received last() {
        return received.getLast();
    }

    public void answer(BiFunction<HttpServerRequest, HttpServerResponse, Publisher<Void>> script) {
        this.script = (_, request, response) -> script.apply(request, response);
    }

    /** The same for one who wants to know what was asked. */
    public void answer(Script script) {
        this.script = script;
    }

    /** A whole answer. */
    public void answers(int status, String contentType, byte[] body) {
        answer((request, response) -> response.status(status)
                .header("Content-Type", contentType)
                .header("Content-Length", String.valueOf(body.length))
                .sendByteArray(Mono.just(body)));
    }

    /** A whole completion with this text. */
    public void says(String text) {
        answers(200, "application/json", Completions.whole(text).getBytes(UTF_8));
    }

    /** Pieces of a stream, each flushed by itself, then the end. */
    public void streams(List<byte[]> pieces) {
        streams(Flux.fromIterable(pieces));
    }

    /** The same from a source, whose cancellation is noticed. */
    public void streams(Flux<byte[]> pieces) {
        streams("text/event-stream", pieces);
    }

    /** The same of another type. */
    public void streams(String contentType, Flux<byte[]> pieces) {
        answer((request, response) -> response.header("Content-Type", contentType)
                .send(
                        pieces.doOnNext(_ -> produced.incrementAndGet())
                                .doOnCancel(cancelled::incrementAndGet)
                                .map(Unpooled::wrappedBuffer),
                        _ -> true));
    }

    public void reset() {
        received.clear();
        cancelled.set(0);
        produced.set(0);
    }

    @Override
    public void close() {
        server.disposeNow();
    }
}
