package dev.corral.gateway.upstream;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;

/**
 * How upstreams fare: {@code corral.upstream.requests} with the time to the head of the answer, {@code
 * corral.upstream.fallbacks}, {@code corral.upstream.left.alone} and {@code corral.upstream.available}.
 */
final class UpstreamMetrics {

    private final MeterRegistry registry;

    UpstreamMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    void watch(Upstream upstream) {
        Gauge.builder("corral.upstream.available", upstream, it -> it.isAvailable() ? 1 : 0)
                .description("1 while requests are sent to it, 0 while its breaker is open")
                .tags("upstream", upstream.name())
                .register(registry);
    }

    /**
     * A request was answered, or was not.
     *
     * @param outcome {@code answered}, {@code error} for a status from 500 on, what {@link UpstreamFailure.Kind} says, or
     *     {@code cancelled}
     */
    void requested(Upstream upstream, String outcome, Duration untilHead) {
        Timer.builder("corral.upstream.requests")
                .description("Requests, by the time until the head of the answer")
                .tags("upstream", upstream.name(), "outcome", outcome)
                .register(registry)
                .record(untilHead);
    }

    void fellBack(Upstream from, Upstream to) {
        registry.counter("corral.upstream.fallbacks", "from", from.name(), "to", to.name())
                .increment();
    }

    void leftAlone(Upstream upstream) {
        registry.counter("corral.upstream.left.alone", "upstream", upstream.name())
                .increment();
    }
}
