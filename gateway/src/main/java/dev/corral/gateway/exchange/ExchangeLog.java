package dev.corral.gateway.exchange;

import dev.corral.gateway.audit.AuditSink;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.policies.policy.Direction;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.cloud.gateway.route.Route;
import org.springframework.cloud.gateway.support.ServerWebExchangeUtils;
import org.springframework.http.HttpStatusCode;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;

/**
 * Says once for each exchange how it ended: in a line of the log and in {@code corral.decisions}, never what was said, and in
 * the audit.
 */
public final class ExchangeLog {

    private static final Logger log = LoggerFactory.getLogger(ExchangeLog.class);

    private static final String REFUSED = "audit_unavailable";
    private static final Duration RETRY_AFTER = Duration.ofSeconds(5);

    private final MeterRegistry metrics;
    private final AuditSink audit;
    private final InstantSource clock;

    public ExchangeLog(MeterRegistry metrics, AuditSink audit, InstantSource clock) {
        this.metrics = metrics;
        this.audit = audit;
        this.clock = clock;
    }

    /** Whether an exchange may begin; an error where it could not be audited, and so must not. */
    public Mono<Void> admit() {
        return Mono.defer(() -> audit.isOpen()
                ? Mono.empty()
                : Mono.error(new DialectException(new GatewayError(
                        503,
                        "server_error",
                        REFUSED,
                        null,
                        "what passes here is audited, and the audit cannot be written at the moment; try again later",
                        RETRY_AFTER))));
    }

    /** An exchange is over, by whatever signal. */
    public void finished(ServerWebExchange exchange, ModeratedExchange moderated, SignalType signal) {
        for (Direction direction : Direction.values()) {
            moderated
                    .outcome(direction)
                    .ifPresent(outcome -> metrics.counter(
                                    "corral.decisions",
                                    "direction",
                                    direction.name().toLowerCase(Locale.ROOT),
                                    "decision",
                                    ModeratedExchange.label(outcome),
                                    "policy",
                                    moderated.policy().name())
                            .increment());
        }
        HttpStatusCode status = exchange.getResponse().getStatusCode();
        Route route = exchange.getAttribute(ServerWebExchangeUtils.GATEWAY_ROUTE_ATTR);
        log.atInfo()
                .addArgument(moderated.id())
                .addArgument(route == null ? "-" : route.getId())
                .addArgument(moderated.upstream().orElse("-"))
                .addArgument(moderated.policy().revision())
                .addArgument(label(moderated, Direction.PROMPT))
                .addArgument(label(moderated, Direction.COMPLETION))
                .addArgument(moderated.rules())
                .addArgument(status == null ? "-" : status.value())
                .addArgument(moderated.stream().map(ExchangeLog::words).orElse(""))
                .addArgument(end(moderated, signal))
                .log("exchange {} route {} upstream {} policy {} prompt {} answer {} rules {} status {} {}{}");
        // a client that asks again and again must not fill the memory with refusals that cannot be written
        if (!end(moderated, signal).equals(REFUSED)) {
            audit.record(moderated.event(clock.instant(), status == null ? 0 : status.value(), end(moderated, signal)));
        }
    }

    private static String words(StreamReport stream) {
        return "released " + stream.released() + " held " + stream.held() + " withheld " + stream.withheld() + " added "
                + stream.added().map(added -> added.toMillis() + " ms ").orElse("- ");
    }

    private static String end(ModeratedExchange moderated, SignalType signal) {
        return signal == SignalType.CANCEL
                ? "client went away"
                : moderated
                        .failure()
                        .map(error -> error.code() == null ? error.type() : error.code())
                        .orElse("complete");
    }

    private static String label(ModeratedExchange moderated, Direction direction) {
        return moderated.outcome(direction).map(ModeratedExchange::label).orElse("-");
    }
}
