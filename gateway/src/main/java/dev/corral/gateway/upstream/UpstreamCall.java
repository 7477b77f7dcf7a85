package dev.corral.gateway.upstream;

import static org.springframework.cloud.gateway.support.ServerWebExchangeUtils.CLIENT_RESPONSE_ATTR;
import static org.springframework.cloud.gateway.support.ServerWebExchangeUtils.GATEWAY_REQUEST_URL_ATTR;
import static org.springframework.cloud.gateway.support.ServerWebExchangeUtils.removeAlreadyRouted;

import dev.corral.gateway.admission.RequestBody;
import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.exchange.FilterOrder;
import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.gateway.translation.Translation;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.cloud.gateway.config.HttpClientProperties;
import org.springframework.cloud.gateway.filter.GatewayFilterChain;
import org.springframework.cloud.gateway.filter.GlobalFilter;
import org.springframework.cloud.gateway.filter.NettyRoutingFilter;
import org.springframework.cloud.gateway.filter.headers.HttpHeadersFilter;
import org.springframework.cloud.gateway.route.Route;
import org.springframework.core.Ordered;
import org.springframework.http.HttpMethod;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.client.HttpClientResponse;

/**
 * Sends requests of routes whose address is {@code upstream://by-model} or {@code upstream://NAME} to an upstream, and to
 * the next where one cannot be reached.
 */
final class UpstreamCall implements GlobalFilter, Ordered {

    /*
     * When may another upstream be asked? Only while it is certain that none has seen the request: a chat request costs
     * money, and may call tools. So what decides is not the kind of failure but whether the request was handed to a
     * connection, which Reactor Netty says (doOnRequest) before the first byte is written. What fails before, in the name
     * service, in connecting, in TLS or in the queue for a connection, was seen by nobody. What fails after may have been
     * worked on, whether bytes of an answer came or not, and its failure is the client's to handle. A head that does not
     * come in time is never a reason either: the clock may run out while the request is being written.
     *
     * What does a breaker count? No connection, no head in time, a connection that broke before the head, and the statuses
     * 502, 503 and 504. Not 500, which one client's request can cause, and not 429, which is meant for one key. A client
     * that goes away gives its permission back, as does a full pool, which is our own limit.
     */

    private static final Logger log = LoggerFactory.getLogger(UpstreamCall.class);

    private static final String ATTEMPT = UpstreamCall.class.getName() + ".attempt";
    private static final String MODELS = "/models";

    private final Upstreams upstreams;
    private final UpstreamMetrics metrics;
    private final ModelLists lists;
    private final Candidates candidates;
    private final Caller caller;

    UpstreamCall(
            Upstreams upstreams,
            UpstreamMetrics metrics,
            ModelLists lists,
            Candidates candidates,
            HttpClient client,
            ObjectProvider<List<HttpHeadersFilter>> headersFilters) {
        this.upstreams = upstreams;
        this.metrics = metrics;
        this.lists = lists;
        this.candidates = candidates;
        this.caller = new Caller(client, headersFilters);
        upstreams.all().forEach(metrics::watch);
    }

    @Override
    public int getOrder() {
        return FilterOrder.UPSTREAM_CHOICE.order();
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, GatewayFilterChain chain) {
        URI asked = exchange.getRequiredAttribute(GATEWAY_REQUEST_URL_ATTR);
        if (!Upstreams.SCHEME.equals(asked.getScheme())) {
            return chain.filter(exchange);
        }
        return Mono.defer(() -> isListing(exchange, asked)
                ? lists.write(exchange, asked)
                : call(exchange, asked).then(Mono.defer(() -> chain.filter(exchange))));
    }

    private boolean isListing(ServerWebExchange exchange, URI asked) {
        return upstreams.all().size() > 1
                && CorralProperties.BY_MODEL.equals(asked.getHost())
                && exchange.getRequest().getMethod().equals(HttpMethod.GET)
                && asked.getRawPath().replaceAll("/$", "").endsWith(MODELS);
    }

    private Mono<Void> call(ServerWebExchange exchange, URI asked) {
        String model = Upstreams.askedFor(exchange).orElseGet(() -> modelIn(asked.getRawPath()));
        List<Upstream> serving = upstreams.serving(asked.getHost(), model);
        HttpMethod method = exchange.getRequest().getMethod();
        return candidates.needTranslation(serving, method, asked)
                        && ModeratedExchange.of(exchange).isPresent()
                ? RequestBody.again(exchange.getRequest())
                        .flatMap(body -> attempt(exchange, drawn(candidates.of(serving, method, asked, body)), null))
                : attempt(exchange, drawn(candidates.asTheyCome(serving, asked)), null);
    }

    private List<Candidate> drawn(List<Candidate> able) {
        return upstreams.drawn(able.stream().map(Candidate::upstream).toList()).stream()
                .map(upstream -> able.stream()
                        .filter(candidate -> candidate.upstream() == upstream)
                        .findFirst()
                        .orElseThrow())
                .toList();
    }

    /** The model that a path names, as {@code GET /v1/models/NAME} does. */
    private static String modelIn(String path) {
        int models = path.indexOf(MODELS + "/");
        return models < 0 ? "" : path.substring(models + MODELS.length() + 1);
    }

    private Mono<Void> attempt(ServerWebExchange exchange, List<Candidate> able, @Nullable UpstreamFailure before) {
        Optional<Candidate> admitting =
                able.stream().filter(candidate -> admits(candidate.upstream())).findFirst();
        if (admitting.isEmpty()) {
            return Mono.error(
                    before == null
                            ? UpstreamFailure.allLeftAlone(able.stream()
                                    .map(candidate -> "the upstream '"
                                            + candidate.upstream().name() + "'")
                                    .collect(Collectors.joining(", ")))
                            : new DialectException(before.error()));
        }
        Candidate candidate = admitting.get();
        Upstream upstream = candidate.upstream();
        if (before != null) {
            metrics.fellBack(before.upstream(), upstream);
        }
        List<Candidate> left = able.subList(able.indexOf(candidate) + 1, able.size());
        Attempt attempt = new Attempt(upstream, new AtomicBoolean());
        return send(exchange, candidate, attempt)
                .onErrorResume(failure -> UpstreamFailure.of(
                                upstream, failure, attempt.sent().get())
                        .map(known -> recover(exchange, left, known))
                        .orElseGet(() -> Mono.error(failure)));
    }

    private boolean admits(Upstream upstream) {
        boolean admits = upstream.breaker().tryAcquirePermission();
        if (!admits) {
            metrics.leftAlone(upstream);
        }
        return admits;
    }

    private Mono<Void> recover(ServerWebExchange exchange, List<Candidate> left, UpstreamFailure failure) {
        log.warn("{}", failure.error().message());
        return failure.kind().allowsAnother() && !left.isEmpty()
                ? attempt(exchange, left, failure)
                : Mono.error(new DialectException(failure.error()));
    }

    private Mono<Void> send(ServerWebExchange exchange, Candidate candidate, Attempt attempt) {
        Upstream upstream = attempt.upstream();
        CircuitBreaker breaker = upstream.breaker();
        return Mono.defer(() -> {
            long start = System.nanoTime();
            exchange.getAttributes().put(GATEWAY_REQUEST_URL_ATTR, candidate.target());
            exchange.getAttributes().put(ATTEMPT, attempt);
            upstream.serves(exchange);
            Translation.note(exchange, candidate.translation());
            ModeratedExchange.of(exchange).ifPresent(moderated -> moderated.servedBy(upstream.name()));
            removeAlreadyRouted(exchange);
            ServerWebExchange introduced =
                    exchange.mutate().request(candidate.request(exchange)).build();
            return caller.filter(introduced, _ -> Mono.empty())
                    .timeout(upstream.responseTimeout())
                    .doOnSuccess(_ -> answered(exchange, upstream, start))
                    .doOnError(failure -> failed(attempt, failure, start))
                    .doOnCancel(() -> {
                        breaker.releasePermission();
                        metrics.requested(upstream, "cancelled", since(start));
                    });
        });
    }

    private void answered(ServerWebExchange exchange, Upstream upstream, long start) {
        HttpClientResponse response = exchange.getAttribute(CLIENT_RESPONSE_ATTR);
        int status = response == null ? 0 : response.status().code();
        if (status >= 502 && status <= 504) {
            upstream.breaker()
                    .onError(System.nanoTime() - start, TimeUnit.NANOSECONDS, new IOException("status " + status));
        } else {
            upstream.breaker().onSuccess(System.nanoTime() - start, TimeUnit.NANOSECONDS);
        }
        metrics.requested(upstream, status >= 500 ? "error" : "answered", since(start));
    }

    private void failed(Attempt attempt, Throwable failure, long start) {
        Upstream upstream = attempt.upstream();
        Optional<UpstreamFailure> known =
                UpstreamFailure.of(upstream, failure, attempt.sent().get());
        if (known.filter(it -> it.kind().counts()).isPresent()) {
            upstream.breaker().onError(System.nanoTime() - start, TimeUnit.NANOSECONDS, failure);
        } else {
            upstream.breaker().releasePermission();
        }
        metrics.requested(upstream, known.map(it -> it.kind().label()).orElse("failed"), since(start));
    }

    private static Duration since(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }

    /**
     * One try.
     *
     * @param sent whether anything of the request was handed to a connection
     */
    private record Attempt(Upstream upstream, AtomicBoolean sent) {}

    /** The framework's own way to call, by the connections of the upstream that was chosen. */
    private static final class Caller extends NettyRoutingFilter {

        Caller(HttpClient client, ObjectProvider<List<HttpHeadersFilter>> headersFilters) {
            super(client, headersFilters, new HttpClientProperties());
        }

        @Override
        protected HttpClient getHttpClient(Route route, ServerWebExchange exchange) {
            Attempt attempt = exchange.getRequiredAttribute(ATTEMPT);
            return attempt.upstream()
                    .client()
                    .doOnRequest((_, _) -> attempt.sent().set(true));
        }
    }
}
