package dev.corral.gateway.moderation;

import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.gateway.exchange.StreamReport;
import dev.corral.gateway.moderation.CompletionWindow.Reason;
import dev.corral.policies.policy.Decision;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Locale;

/**
 * What happens to streamed answers: {@code corral.windows}, {@code corral.windows.characters}, and for each answer {@code
 * corral.windows.held}, the most characters that waited, and {@code corral.windows.added}, the time to its first byte.
 */
final class WindowMetrics {

    private final MeterRegistry registry;

    WindowMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    void judged(Reason reason, Decision decision) {
        registry.counter(
                        "corral.windows",
                        "reason",
                        reason.name().toLowerCase(Locale.ROOT),
                        "decision",
                        ModeratedExchange.label(decision.outcome()))
                .increment();
    }

    void streamed(StreamReport report) {
        count("released", report.released());
        count("withheld", report.withheld());
        if (report.held() > 0) {
            registry.summary("corral.windows.held").record((double) report.held());
        }
        report.added().ifPresent(registry.timer("corral.windows.added")::record);
    }

    private void count(String fate, long characters) {
        if (characters > 0) {
            registry.counter("corral.windows.characters", "fate", fate).increment((double) characters);
        }
    }
}
