package dev.corral.gateway.upstream;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import io.netty.channel.ConnectTimeoutException;
import java.io.IOException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Why an upstream has not begun to answer.
 *
 * @param upstream which
 * @param error what a client is told, where nobody else answers
 */
record UpstreamFailure(Upstream upstream, Kind kind, GatewayError error) {

    private static final Duration SOON = Duration.ofSeconds(2);

    /** What went wrong, and so whether another upstream may be asked. */
    enum Kind {
        /** There was no connection: it has seen nothing of the request. */
        UNREACHABLE,
        /** All our connections to it were taken: it has seen nothing of the request. */
        BUSY,
        /** It has the request and has not answered: it may be at work. */
        SLOW,
        /** It has some of the request and broke off: it may have been at work. */
        FAILED;

        boolean allowsAnother() {
            return this == UNREACHABLE || this == BUSY;
        }

        /** Whether it says that the upstream is not well; a full pool says so of nobody. */
        boolean counts() {
            return this != BUSY;
        }

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * What a failure means.
     *
     * @param sent whether anything of the request was handed to a connection
     * @return empty for a failure that is not the upstream's
     */
    static Optional<UpstreamFailure> of(Upstream upstream, Throwable failure, boolean sent) {
        String named = "the upstream '" + upstream.name() + "'";
        String key = upstream.settingsKey();
        return switch (failure) {
            // the pool's own kind is inside of Reactor Netty; that of a clock is Java's
            case TimeoutException timeout when timeout.getClass() != TimeoutException.class -> busy(upstream);
            case TimeoutException _ ->
                failure(
                        upstream,
                        Kind.SLOW,
                        504,
                        "upstream_timeout",
                        named + " did not begin to answer in time (" + key + ".response-timeout)",
                        null);
            case IOException _
            when sent ->
                failure(
                        upstream,
                        Kind.FAILED,
                        502,
                        "upstream_failed",
                        named + " closed the connection before its answer was complete",
                        null);
            case ConnectTimeoutException _ ->
                unreachable(
                        upstream,
                        named + " did not accept a connection in time (" + key
                                + ".connect-timeout); check that it runs");
            case UnknownHostException _ ->
                unreachable(upstream, "the host name of " + named + " is not known; check " + key + ".url");
            case SSLException _ ->
                unreachable(
                        upstream,
                        named + " could not be trusted, or does not speak TLS; check " + key
                                + ".url and its certificate");
            case IOException _ ->
                unreachable(
                        upstream,
                        named + " refused the connection; check that it runs and that " + key + ".url names it");
            default -> Optional.empty();
        };
    }

    /** Those who could answer are left alone at the moment. */
    static DialectException allLeftAlone(String who) {
        return new DialectException(new GatewayError(
                503,
                "upstream_error",
                "upstream_unavailable",
                null,
                "no request is sent to " + who + " at the moment, because too many failed; try again soon",
                SOON));
    }

    private static Optional<UpstreamFailure> unreachable(Upstream upstream, String message) {
        return failure(upstream, Kind.UNREACHABLE, 502, "upstream_unreachable", message, null);
    }

    private static Optional<UpstreamFailure> busy(Upstream upstream) {
        return failure(
                upstream,
                Kind.BUSY,
                503,
                "upstream_busy",
                "all connections to the upstream '" + upstream.name() + "' are taken (" + upstream.settingsKey()
                        + ".max-connections); try again soon",
                SOON);
    }

    private static Optional<UpstreamFailure> failure(
            Upstream upstream, Kind kind, int status, String code, String message, @Nullable Duration retryAfter) {
        return Optional.of(new UpstreamFailure(
                upstream, kind, new GatewayError(status, "upstream_error", code, null, message, retryAfter)));
    }
}
