package dev.corral.gateway.moderation;

import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.gateway.moderation.CompletionWindow.Reason;
import dev.corral.policies.policy.Decision;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Locale;

/** What happens to streamed answers: {@code corral.windows} and {@code corral.windows.characters}. */
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

    void characters(CompletionWindow window) {
        count("released", window.releasedCharacters());
        count("withheld", window.withheldCharacters());
    }

    private void count(String fate, long characters) {
        if (characters > 0) {
            registry.counter("corral.windows.characters", "fate", fate).increment((double) characters);
        }
    }
}
