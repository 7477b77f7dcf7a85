package dev.corral.gateway.exchange;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Dialects;
import dev.corral.gateway.dialect.GatewayError;
import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.timeout.ReadTimeoutException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.webflux.error.ErrorWebExceptionHandler;
import org.springframework.core.Ordered;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import reactor.netty.channel.AbortedException;

/**
 * The one place where failures become answers: every error has the dialect's envelope, and none shows what happened
 * inside.
 */
public final class ErrorResponses implements ErrorWebExceptionHandler, Ordered {

    private static final Logger log = LoggerFactory.getLogger(ErrorResponses.class);

    private final Dialects dialects;

    /** Errors of every kind are told in the dialect of the request. */
    public ErrorResponses(Dialects dialects) {
        this.dialects = dialects;
    }

    /** Before the framework's own handlers. */
    @Override
    public int getOrder() {
        return -2;
    }

    @Override
    public Mono<Void> handle(ServerWebExchange exchange, Throwable failure) {
        if (exchange.getResponse().isCommitted()) {
            return Mono.error(failure);
        }
        GatewayError error = errorOf(failure);
        ModeratedExchange.of(exchange).ifPresent(moderated -> moderated.failed(error));
        return WireResponses.write(
                exchange.getResponse(),
                dialects.error(
                        exchange.getRequest().getMethod(),
                        exchange.getRequest().getPath().pathWithinApplication().value(),
                        error));
    }

    /** What a client is told of a failure. */
    public static GatewayError errorOf(Throwable failure) {
        return switch (failure) {
            case DialectException malformed -> malformed.error();
            case ResponseStatusException status -> ofStatus(status);
            case ConnectTimeoutException _ ->
                upstream(
                        502,
                        "upstream_unreachable",
                        "the upstream did not accept a connection in time"
                                + " (corral.upstream.connect-timeout); check that it runs");
            case ConnectException _ ->
                upstream(
                        502,
                        "upstream_unreachable",
                        "the upstream refused the connection; check that it runs and that"
                                + " corral.upstream.url names it");
            case UnknownHostException _ ->
                upstream(
                        502,
                        "upstream_unreachable",
                        "the upstream's host name is not known; check corral.upstream.url");
            case ReadTimeoutException _ -> slow();
            case TimeoutException _ -> slow();
            case AbortedException _ ->
                upstream(502, "upstream_failed", "the connection was closed before the answer was complete");
            case IOException _ ->
                upstream(502, "upstream_failed", "the upstream closed the connection before its answer was complete");
            default -> internal(failure);
        };
    }

    private static GatewayError ofStatus(ResponseStatusException failure) {
        HttpStatusCode status = failure.getStatusCode();
        if (status.isSameCodeAs(HttpStatus.GATEWAY_TIMEOUT)) {
            return slow();
        }
        if (status.isSameCodeAs(HttpStatus.NOT_FOUND)) {
            return new GatewayError(
                    404, "invalid_request_error", "not_found", null, "there is nothing at this path", null);
        }
        if (status.is5xxServerError()) {
            return failure.getCause() == null ? internal(failure) : errorOf(failure.getCause());
        }
        HttpStatus known = HttpStatus.resolve(status.value());
        return new GatewayError(
                status.value() < 400 ? 500 : status.value(),
                "invalid_request_error",
                null,
                null,
                known == null ? "the request was refused" : known.getReasonPhrase(),
                null);
    }

    private static GatewayError slow() {
        return upstream(
                504,
                "upstream_timeout",
                "the upstream did not begin to answer in time (corral.upstream.response-timeout)");
    }

    private static GatewayError internal(Throwable failure) {
        log.error("an exchange failed for a reason that is not foreseen", failure);
        return new GatewayError(
                500, "server_error", "internal_error", null, "the gateway failed; its log says why", null);
    }

    private static GatewayError upstream(int status, @Nullable String code, String message) {
        return new GatewayError(status, "upstream_error", code, null, message, null);
    }
}
