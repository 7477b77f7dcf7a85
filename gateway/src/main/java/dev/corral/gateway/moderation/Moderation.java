package dev.corral.gateway.moderation;

import dev.corral.gateway.admission.RequestBody;
import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.gateway.exchange.ErrorResponses;
import dev.corral.gateway.exchange.ExchangeLog;
import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.gateway.exchange.WireResponses;
import dev.corral.gateway.image.ImageIntake;
import dev.corral.gateway.upstream.IdleTimeout;
import dev.corral.policies.policy.BlockStyle;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.ImageUse;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.springframework.cloud.gateway.filter.GatewayFilterChain;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.util.unit.DataSize;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** One exchange, a straight line: body, dialect, guard, policy; then an answer of our own, or the upstream's. */
public final class Moderation {

    private final List<Dialect> dialects;
    private final RequestBody requestBody;
    private final DataSize maxAnswerSize;
    private final IdleTimeout idleTimeout;
    private final ImageIntake images;
    private final Judge judge;
    private final WindowMetrics windowMetrics;
    private final ErrorResponses errors;
    private final ExchangeLog exchangeLog;

    /**
     * Moderation in these dialects; the first that serves a request's path reads it.
     *
     * @param maxAnswerSize the longest whole answer, and the longest event of a stream
     */
    Moderation(
            List<Dialect> dialects,
            RequestBody requestBody,
            DataSize maxAnswerSize,
            IdleTimeout idleTimeout,
            ImageIntake images,
            Panel panel,
            Shadows shadows,
            MeterRegistry metrics,
            ErrorResponses errors,
            ExchangeLog exchangeLog) {
        this.dialects = List.copyOf(dialects);
        this.requestBody = requestBody;
        this.maxAnswerSize = maxAnswerSize;
        this.idleTimeout = idleTimeout;
        this.images = images;
        this.judge = new Judge(panel, shadows);
        this.windowMetrics = new WindowMetrics(metrics);
        this.errors = errors;
        this.exchangeLog = exchangeLog;
    }

    Mono<Void> filter(ServerWebExchange exchange, GatewayFilterChain chain, CompiledPolicy policy) {
        HttpMethod method = exchange.getRequest().getMethod();
        String path = exchange.getRequest().getPath().pathWithinApplication().value();
        if (ModelListing.serves(method, path)) {
            return chain.filter(exchange);
        }
        ModeratedExchange moderated = ModeratedExchange.begin(exchange, policy);
        return dialect(method, path)
                .map(dialect -> moderate(exchange, chain, moderated, dialect))
                .orElseGet(() -> Mono.error(unsupported(method)))
                .onErrorResume(_ -> !exchange.getResponse().isCommitted(), failure -> errors.handle(exchange, failure))
                .doFinally(signal -> exchangeLog.finished(exchange, moderated, signal));
    }

    private Optional<Dialect> dialect(HttpMethod method, String path) {
        return dialects.stream().filter(dialect -> dialect.serves(method, path)).findFirst();
    }

    private Mono<Void> moderate(
            ServerWebExchange exchange, GatewayFilterChain chain, ModeratedExchange moderated, Dialect dialect) {
        return requestBody.read(exchange.getRequest()).flatMap(body -> {
            ModeratedRequest named = dialect.read(body);
            return images.take(named.conversation(), moderated.policy().images())
                    .flatMap(arrived -> decided(
                            exchange,
                            chain,
                            moderated,
                            dialect,
                            named.with(arrived.conversation()),
                            body(moderated, dialect, body, arrived)));
        });
    }

    /** What was judged is what is sent on: a file that was fetched goes in place of its address. */
    private static byte[] body(ModeratedExchange moderated, Dialect dialect, byte[] body, ImageIntake.Arrived arrived) {
        return arrived.fetched().isEmpty() || moderated.policy().images().pass() == ImageUse.Pass.URL
                ? body
                : dialect.withImages(body, arrived.fetched());
    }

    private Mono<Void> decided(
            ServerWebExchange exchange,
            GatewayFilterChain chain,
            ModeratedExchange moderated,
            Dialect dialect,
            ModeratedRequest request,
            byte[] body) {
        return judge.prompt(moderated, request).flatMap(decision -> switch (decision) {
            case Decision.Allow _, Decision.Flag _ ->
                chain.filter(forwarded(exchange, moderated, dialect, request, body));
            case Decision.Redact _ -> forwardRedacted(exchange, chain, moderated, dialect, request, body);
            case Decision.Respond respond ->
                send(
                        exchange,
                        request.stream()
                                ? stream(dialect.replyStream(request, moderated.id(), respond.message()))
                                : dialect.reply(request, moderated.id(), respond.message()));
            case Decision.Block block when block.style() == BlockStyle.ERROR -> Mono.error(Judge.violation(block));
            case Decision.Block block ->
                send(
                        exchange,
                        request.stream()
                                ? stream(dialect.refusalStream(request, moderated.id(), block.message()))
                                : dialect.refusal(request, moderated.id(), block.message()));
            case Decision.Unavailable unavailable -> Mono.error(Judge.unavailable(unavailable));
        });
    }

    private Mono<Void> forwardRedacted(
            ServerWebExchange exchange,
            GatewayFilterChain chain,
            ModeratedExchange moderated,
            Dialect dialect,
            ModeratedRequest request,
            byte[] body) {
        PolicyRedactor redactor =
                new PolicyRedactor(moderated.policy(), moderated.facts(Direction.PROMPT, request.model()));
        byte[] redacted = dialect.redactRequest(body, redactor);
        ModeratedRequest named = dialect.read(redacted);
        ModeratedRequest reread = named.with(images.inside(named.conversation()));
        return redactor.isClean(reread.conversation().turns())
                ? chain.filter(forwarded(exchange, moderated, dialect, reread, redacted))
                : Mono.error(Judge.notRedactable());
    }

    private ServerWebExchange forwarded(
            ServerWebExchange exchange,
            ModeratedExchange moderated,
            Dialect dialect,
            ModeratedRequest request,
            byte[] body) {
        ServerHttpRequest uncompressed = exchange.getRequest()
                .mutate()
                .headers(headers -> {
                    headers.set(HttpHeaders.ACCEPT_ENCODING, "identity");
                    if (headers.getContentLength() >= 0) {
                        headers.setContentLength(body.length);
                    }
                })
                .build();
        return exchange.mutate()
                .request(RequestBody.with(
                        uncompressed, body, exchange.getResponse().bufferFactory()))
                .response(new ModeratedResponse(
                        exchange, dialect, judge, windowMetrics, idleTimeout, maxAnswerSize, moderated, request))
                .build();
    }

    private static Mono<Void> send(ServerWebExchange exchange, WireResponse answer) {
        return WireResponses.write(exchange.getResponse(), answer);
    }

    private static WireResponse stream(List<byte[]> frames) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        frames.forEach(body::writeBytes);
        return new WireResponse(
                200, MediaType.TEXT_EVENT_STREAM, Map.of(HttpHeaders.CACHE_CONTROL, "no-cache"), body.toByteArray());
    }

    private static DialectException unsupported(HttpMethod method) {
        return new DialectException(new GatewayError(
                404,
                "invalid_request_error",
                "unsupported_path",
                null,
                "this path is not moderated for " + method
                        + " yet, and what is not moderated is not passed on; use POST …/chat/completions,"
                        + " POST /v1/moderations or GET …/models",
                null));
    }
}
