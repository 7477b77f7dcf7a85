package dev.corral.gateway.moderation;

import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.exchange.HeapBytes;
import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.gateway.exchange.WireResponses;
import dev.corral.gateway.refusal.AzureAnnotations;
import dev.corral.gateway.refusal.Refusals;
import dev.corral.gateway.translation.StreamTranslation;
import dev.corral.gateway.translation.Translation;
import dev.corral.gateway.upstream.IdleTimeout;
import dev.corral.gateway.upstream.Upstream;
import dev.corral.policies.policy.BlockStyle;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import java.time.Duration;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.reactivestreams.Publisher;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.http.server.reactive.ServerHttpResponseDecorator;
import org.springframework.util.unit.DataSize;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A response into which the upstream's answer is written, and out of which comes what may be seen of it. There are two
 * ways in, and both are guarded: which one the framework takes depends on a content type that the upstream chose.
 */
final class ModeratedResponse extends ServerHttpResponseDecorator {

    private final ServerWebExchange webExchange;
    private final Dialect dialect;
    private final Judge judge;
    private final WindowMetrics metrics;
    private final IdleTimeout idleTimeout;
    private final DataSize maxSize;
    private final Duration keepAlive;
    private final ModeratedExchange exchange;
    private final ModeratedRequest request;
    private final UnaryOperator<Flux<byte[]>> hold;

    /**
     * A response in front of another.
     *
     * @param delegate into which goes what may be seen
     * @param hold what keeps an answer's chunks back, where they may not be looked at yet
     */
    ModeratedResponse(
            ServerWebExchange webExchange,
            ServerHttpResponse delegate,
            Dialect dialect,
            Judge judge,
            WindowMetrics metrics,
            IdleTimeout idleTimeout,
            DataSize maxSize,
            Duration keepAlive,
            ModeratedExchange exchange,
            ModeratedRequest request,
            UnaryOperator<Flux<byte[]>> hold) {
        super(delegate);
        this.webExchange = webExchange;
        this.dialect = dialect;
        this.judge = judge;
        this.metrics = metrics;
        this.idleTimeout = idleTimeout;
        this.maxSize = maxSize;
        this.keepAlive = keepAlive;
        this.exchange = exchange;
        this.request = request;
        this.hold = hold;
    }

    @Override
    public Mono<Void> writeWith(Publisher<? extends DataBuffer> body) {
        return answer(UpstreamBody.of(webExchange, body));
    }

    @Override
    public Mono<Void> writeAndFlushWith(Publisher<? extends Publisher<? extends DataBuffer>> body) {
        return answer(UpstreamBody.ofFlushed(webExchange, body));
    }

    private Mono<Void> answer(Flux<byte[]> unwatched) {
        HttpStatusCode status = getStatusCode() == null ? HttpStatusCode.valueOf(200) : getStatusCode();
        String encoding = getHeaders().getFirst(HttpHeaders.CONTENT_ENCODING);
        if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
            return refuse(
                    unwatched,
                    "upstream_content_encoding",
                    "the upstream's answer has the content encoding '" + encoding
                            + "', which was not asked for; what cannot be read cannot be judged, so it was not passed on");
        }
        IdleTimeout clock = Upstream.of(webExchange).map(Upstream::idleTimeout).orElse(idleTimeout);
        Optional<Translation> translation = Translation.of(webExchange);
        MediaType streamType = translation.map(Translation::streamType).orElse(dialect.streamType());
        MediaType type = contentType();
        Flux<byte[]> watched = clock.watch(unwatched);
        Flux<byte[]> chunks = hold.apply(
                translation.map(to -> translated(to, status, type, watched)).orElse(watched));
        if (status.isError()) {
            return error(status, type, chunks);
        }
        if (!status.is2xxSuccessful()) {
            return refuse(
                    unwatched,
                    "upstream_status",
                    "the upstream answered with status " + status.value()
                            + ", which is neither an answer nor an error; check corral.upstream.url");
        }
        if (streamType.isCompatibleWith(type)) {
            return stream(chunks);
        }
        if (isJson(type)) {
            return whole(chunks);
        }
        return refuse(
                unwatched,
                "upstream_content_type",
                "the upstream answered with " + type.getType() + "/" + type.getSubtype()
                        + " instead of application/json or " + streamType
                        + "; check that corral.upstream.url is the base of an API that the client speaks");
    }

    /** What is judged is what the client gets. What cannot be read is left as it is, and refused by its type. */
    private Flux<byte[]> translated(
            Translation translation, HttpStatusCode status, MediaType type, Flux<byte[]> chunks) {
        if (status.isError()) {
            return isJson(type) ? translatedError(translation, status, chunks) : chunks;
        }
        if (translation.streamType().isCompatibleWith(type)) {
            getHeaders().setContentType(dialect.streamType());
            return Flux.defer(() -> {
                StreamTranslation stream =
                        translation.stream(dialect, exchange.id(), Math.toIntExact(maxSize.toBytes()));
                return chunks.concatMapIterable(stream::next, 1)
                        .concatWith(Flux.defer(() -> Flux.fromIterable(stream.end())));
            });
        }
        return isJson(type)
                ? join(chunks)
                        .map(body -> translation.answer(body, dialect, exchange.id()))
                        .flux()
                : chunks;
    }

    /** An error that nobody understands is no words of the upstream's; its status is told. */
    private Flux<byte[]> translatedError(Translation translation, HttpStatusCode status, Flux<byte[]> chunks) {
        getHeaders().setContentType(MediaType.APPLICATION_JSON);
        return join(chunks)
                .map(body -> translation.error(status.value(), body, dialect))
                .onErrorResume(DialectException.class, _ -> Mono.empty())
                .flux();
    }

    private Mono<Void> stream(Flux<byte[]> chunks) {
        getHeaders().remove(HttpHeaders.CONTENT_LENGTH);
        return getDelegate()
                .writeAndFlushWith(new ModeratedStream(dialect, judge, metrics, exchange, request, maxSize, keepAlive)
                        .moderate(chunks)
                        .map(bytes -> Mono.just(bufferFactory().wrap(bytes))))
                .onErrorResume(
                        BlockedException.class,
                        blocked -> WireResponses.write(
                                getDelegate(),
                                Refusals.response(
                                        dialect, request, exchange.id(), blocked.block(), Direction.COMPLETION)));
    }

    private Mono<Void> whole(Flux<byte[]> chunks) {
        return join(chunks)
                .flatMap(body -> judge.answer(exchange, request, dialect.readAnswer(body, request))
                        .flatMap(decision -> switch (decision) {
                            case Decision.Allow _, Decision.Flag _ -> pass(annotated(body, decision));
                            case Decision.Redact _ -> passRedacted(body, decision);
                            case Decision.Respond respond ->
                                WireResponses.write(
                                        getDelegate(), dialect.reply(request, exchange.id(), respond.message()));
                            case Decision.Block block
                            when block.style() == BlockStyle.ERROR -> Mono.error(Judge.violation(block));
                            case Decision.Block block ->
                                WireResponses.write(
                                        getDelegate(),
                                        Refusals.response(
                                                dialect, request, exchange.id(), block, Direction.COMPLETION));
                            case Decision.Unavailable unavailable -> Mono.error(Judge.unavailable(unavailable));
                        }));
    }

    /** An upstream's own words about a failure are words like any others; where they may not pass, the status does. */
    private Mono<Void> error(HttpStatusCode status, MediaType type, Flux<byte[]> chunks) {
        GatewayError instead = new GatewayError(
                status.value(),
                status.is4xxClientError() ? "invalid_request_error" : "upstream_error",
                "upstream_error",
                null,
                "the upstream answered with status " + status.value() + "; its own message is not passed on",
                null);
        if (!isJson(type)) {
            return replace(chunks, instead);
        }
        Mono<Void> replaced = Mono.error(new DialectException(instead));
        return join(chunks)
                .flatMap(body -> Mono.fromCallable(() -> dialect.readAnswer(body, request))
                        .flatMap(answer -> judge.answer(exchange, request, answer))
                        .flatMap(decision -> switch (decision) {
                            case Decision.Allow _, Decision.Flag _ -> pass(body);
                            case Decision.Redact _, Decision.Respond _, Decision.Block _ -> replaced;
                            case Decision.Unavailable unavailable -> Mono.<Void>error(Judge.unavailable(unavailable));
                        })
                        .onErrorResume(
                                failure -> failure instanceof DialectException unreadable
                                        && unreadable.error().status() == 502,
                                _ -> replaced));
    }

    private Mono<byte[]> join(Flux<byte[]> chunks) {
        return HeapBytes.join(
                chunks,
                maxSize.toBytes(),
                new GatewayError(
                        502,
                        "upstream_error",
                        "upstream_answer_too_large",
                        null,
                        "the upstream's answer is larger than " + maxSize.toBytes()
                                + " bytes (corral.max-answer-size); it was not passed on",
                        null));
    }

    private byte[] annotated(byte[] body, Decision decision) {
        return AzureAnnotations.of(exchange.policy().blockStyle(), dialect, () -> exchange.decision(Direction.PROMPT))
                .map(annotations -> annotations.whole(body, decision))
                .orElse(body);
    }

    private Mono<Void> passRedacted(byte[] body, Decision decision) {
        PolicyRedactor redactor =
                new PolicyRedactor(exchange.policy(), exchange.facts(Direction.COMPLETION, request.model()));
        byte[] redacted = dialect.redactAnswer(body, redactor);
        return redactor.isClean(dialect.readAnswer(redacted, request).choices())
                ? pass(annotated(redacted, decision))
                : Mono.error(Judge.notRedactable());
    }

    private Mono<Void> pass(byte[] body) {
        getHeaders().setContentLength(body.length);
        return getDelegate().writeWith(Mono.fromSupplier(() -> bufferFactory().wrap(body)));
    }

    private static Mono<Void> refuse(Flux<byte[]> body, String code, String message) {
        return replace(body, new GatewayError(502, "upstream_error", code, null, message, null));
    }

    private static Mono<Void> replace(Flux<byte[]> body, GatewayError instead) {
        return Mono.defer(() -> {
            UpstreamBody.discard(body);
            return Mono.error(new DialectException(instead));
        });
    }

    private MediaType contentType() {
        try {
            MediaType type = getHeaders().getContentType();
            return type == null ? MediaType.APPLICATION_JSON : type;
        } catch (InvalidMediaTypeException _) {
            return MediaType.APPLICATION_OCTET_STREAM;
        }
    }

    private static boolean isJson(MediaType type) {
        return MediaType.APPLICATION_JSON.isCompatibleWith(type) || "json".equals(type.getSubtypeSuffix());
    }
}
