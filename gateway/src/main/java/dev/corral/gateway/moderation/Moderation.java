package dev.corral.gateway.moderation;

import dev.corral.gateway.admission.RequestBody;
import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Dialects;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.gateway.exchange.ErrorResponses;
import dev.corral.gateway.exchange.ExchangeLog;
import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.gateway.exchange.WireResponses;
import dev.corral.gateway.image.ImageIntake;
import dev.corral.gateway.refusal.Refusals;
import dev.corral.gateway.upstream.IdleTimeout;
import dev.corral.gateway.upstream.ModelFacts;
import dev.corral.gateway.upstream.Upstreams;
import dev.corral.policies.policy.BlockStyle;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.ImageUse;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.springframework.cloud.gateway.filter.GatewayFilterChain;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.util.unit.DataSize;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** One exchange, a straight line: body, dialect, guard, policy; then an answer of our own, or the upstream's. */
public final class Moderation {

    private final Dialects dialects;
    private final RequestBody requestBody;
    private final DataSize maxAnswerSize;
    private final Duration keepAlive;
    private final IdleTimeout idleTimeout;
    private final ImageIntake images;
    private final ModelFacts models;
    private final Judge judge;
    private final WindowMetrics windowMetrics;
    private final OptimismMetrics optimismMetrics;
    private final ErrorResponses errors;
    private final ExchangeLog exchangeLog;

    /**
     * Moderation in these dialects.
     *
     * @param maxAnswerSize the longest whole answer, and the longest event of a stream
     * @param keepAlive so often a comment is sent while frames of a stream are held
     */
    Moderation(
            Dialects dialects,
            RequestBody requestBody,
            DataSize maxAnswerSize,
            Duration keepAlive,
            IdleTimeout idleTimeout,
            ImageIntake images,
            ModelFacts models,
            Panel panel,
            Shadows shadows,
            MeterRegistry metrics,
            ErrorResponses errors,
            ExchangeLog exchangeLog) {
        this.dialects = dialects;
        this.requestBody = requestBody;
        this.maxAnswerSize = maxAnswerSize;
        this.keepAlive = keepAlive;
        this.idleTimeout = idleTimeout;
        this.images = images;
        this.models = models;
        this.judge = new Judge(panel, shadows);
        this.windowMetrics = new WindowMetrics(metrics);
        this.optimismMetrics = new OptimismMetrics(metrics);
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
        return exchangeLog
                .admit()
                .then(Mono.defer(() -> dialects.of(method, path)
                        .map(dialect -> moderate(exchange, chain, moderated, dialect))
                        .orElseGet(() -> Mono.error(unsupported(method)))))
                .onErrorResume(_ -> !exchange.getResponse().isCommitted(), failure -> errors.handle(exchange, failure))
                .doFinally(signal -> exchangeLog.finished(exchange, moderated, signal));
    }

    private Mono<Void> moderate(
            ServerWebExchange exchange, GatewayFilterChain chain, ModeratedExchange moderated, Dialect dialect) {
        return requestBody.read(exchange.getRequest()).flatMap(body -> {
            ModeratedRequest named = dialect.read(body);
            moderated.names(named.model());
            models.check(named.model(), named.conversation());
            return images.take(named.conversation(), moderated.policy().images())
                    .flatMap(arrived -> new Passage(
                                    exchange,
                                    chain,
                                    moderated,
                                    dialect,
                                    named.with(arrived.conversation()),
                                    body(moderated, dialect, body, arrived))
                            .begin());
        });
    }

    /** What was judged is what is sent on: a file that was fetched goes in place of its address. */
    private static byte[] body(ModeratedExchange moderated, Dialect dialect, byte[] body, ImageIntake.Arrived arrived) {
        return arrived.fetched().isEmpty() || moderated.policy().images().pass() == ImageUse.Pass.URL
                ? body
                : dialect.withImages(body, arrived.fetched());
    }

    private static boolean isOptimistic(CompiledPolicy policy, ModeratedRequest request) {
        return switch (policy.optimism()) {
            case NEVER -> false;
            case WITHOUT_TOOLS -> !ToolUse.in(request.conversation());
            case ALWAYS -> true;
        };
    }

    /** A request that was read, on its way to the upstream or back. */
    private final class Passage {

        private final ServerWebExchange exchange;
        private final GatewayFilterChain chain;
        private final ModeratedExchange moderated;
        private final Dialect dialect;
        private final ModeratedRequest request;
        private final byte[] body;

        Passage(
                ServerWebExchange exchange,
                GatewayFilterChain chain,
                ModeratedExchange moderated,
                Dialect dialect,
                ModeratedRequest request,
                byte[] body) {
            this.exchange = exchange;
            this.chain = chain;
            this.moderated = moderated;
            this.dialect = dialect;
            this.request = request;
            this.body = body;
        }

        Mono<Void> begin() {
            Upstreams.asksFor(exchange, request.model());
            return isOptimistic(moderated.policy(), request)
                    ? askBoth()
                    : judge.prompt(moderated, request).flatMap(this::carryOut);
        }

        private Mono<Void> carryOut(Decision decision) {
            return switch (decision) {
                case Decision.Allow _, Decision.Flag _ -> forward(request, body);
                case Decision.Redact _ -> forwardRedacted();
                case Decision.Respond respond ->
                    send(
                            exchange,
                            request.stream()
                                    ? WireResponse.stream(
                                            dialect.streamType(),
                                            dialect.replyStream(request, moderated.id(), respond.message()))
                                    : dialect.reply(request, moderated.id(), respond.message()));
                case Decision.Block block when block.style() == BlockStyle.ERROR -> Mono.error(Judge.violation(block));
                case Decision.Block block ->
                    send(exchange, Refusals.response(dialect, request, moderated.id(), block, Direction.PROMPT));
                case Decision.Unavailable unavailable -> Mono.error(Judge.unavailable(unavailable));
            };
        }

        /**
         * Guard and upstream at once. The answer waits for the verdict, whichever comes first, and so does a failure of
         * the upstream: a blocked prompt is told as blocked. A verdict against the prompt cancels the upstream.
         */
        private Mono<Void> askBoth() {
            return Mono.defer(() -> {
                PendingVerdict pending = new PendingVerdict();
                Mono<Decision> verdict = judge.prompt(moderated, request).doOnNext(pending::decided);
                Mono<Optional<Throwable>> failure = chain.filter(
                                forwarded(new HeldResponse(exchange.getResponse()), request, body, pending::hold))
                        .takeUntilOther(pending.refused())
                        .thenReturn(Optional.<Throwable>empty())
                        .onErrorResume(error -> Mono.just(Optional.of(error)));
                return Mono.zip(verdict, failure)
                        .flatMap(both -> PendingVerdict.passes(both.getT1())
                                ? kept(both.getT2())
                                : wasted(pending).then(carryOut(both.getT1())));
            });
        }

        private Mono<Void> kept(Optional<Throwable> failure) {
            optimismMetrics.kept();
            return failure.map(Mono::<Void>error).orElseGet(Mono::empty);
        }

        private Mono<Void> wasted(PendingVerdict pending) {
            return Mono.fromRunnable(() -> optimismMetrics.wasted(
                    dialect, request.stream(), pending.wasted(), Math.toIntExact(maxAnswerSize.toBytes())));
        }

        private Mono<Void> forwardRedacted() {
            PolicyRedactor redactor =
                    new PolicyRedactor(moderated.policy(), moderated.facts(Direction.PROMPT, request.model()));
            byte[] redacted = dialect.redactRequest(body, redactor);
            ModeratedRequest named = dialect.read(redacted);
            ModeratedRequest reread = named.with(images.inside(named.conversation()));
            return redactor.isClean(reread.conversation().turns())
                    ? forward(reread, redacted)
                    : Mono.error(Judge.notRedactable());
        }

        private Mono<Void> forward(ModeratedRequest judged, byte[] sent) {
            return chain.filter(forwarded(exchange.getResponse(), judged, sent, chunks -> chunks));
        }

        private ServerWebExchange forwarded(
                ServerHttpResponse response, ModeratedRequest judged, byte[] sent, UnaryOperator<Flux<byte[]>> hold) {
            ServerHttpRequest uncompressed = exchange.getRequest()
                    .mutate()
                    .headers(headers -> {
                        headers.set(HttpHeaders.ACCEPT_ENCODING, "identity");
                        if (headers.getContentLength() >= 0) {
                            headers.setContentLength(sent.length);
                        }
                    })
                    .build();
            return exchange.mutate()
                    .request(RequestBody.with(
                            uncompressed, sent, exchange.getResponse().bufferFactory()))
                    .response(new ModeratedResponse(
                            exchange,
                            response,
                            dialect,
                            judge,
                            windowMetrics,
                            idleTimeout,
                            maxAnswerSize,
                            keepAlive,
                            moderated,
                            judged,
                            hold))
                    .build();
        }
    }

    private static Mono<Void> send(ServerWebExchange exchange, WireResponse answer) {
        return WireResponses.write(exchange.getResponse(), answer);
    }

    private static DialectException unsupported(HttpMethod method) {
        return new DialectException(new GatewayError(
                404,
                "invalid_request_error",
                "unsupported_path",
                null,
                "this path is not moderated for " + method
                        + ", and what is not moderated is not passed on; docs/apis.md lists what is",
                null));
    }
}
