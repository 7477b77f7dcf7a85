package dev.corral.gateway.exchange;

import dev.corral.policies.policy.Direction;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.cloud.gateway.route.Route;
import org.springframework.cloud.gateway.support.ServerWebExchangeUtils;
import org.springframework.http.HttpStatusCode;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.SignalType;

/** Says once for each exchange how it ended, in a line of the log and in {@code corral.decisions}; never what was said. */
public final class ExchangeLog {

    private static final Logger log = LoggerFactory.getLogger(ExchangeLog.class);

    private final MeterRegistry metrics;

    public ExchangeLog(MeterRegistry metrics) {
        this.metrics = metrics;
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
