package dev.corral.gateway.moderation;

import dev.corral.guardmodels.guard.VisionGuard;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Reason;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Collection;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * What a guard is busy with: {@code corral.guard.assess} and {@code corral.guard.queue}, and {@code corral.guard.images} of one
 * that sees images on this machine.
 */
public final class GuardMetrics {

    private final MeterRegistry registry;

    public GuardMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    void queue(String guard, Collection<?> waiting) {
        Gauge.builder("corral.guard.queue", waiting, Collection::size)
                .description("Jobs that wait for a lane of the guard")
                .tag("guard", guard)
                .register(registry);
    }

    void images(VisionGuard guard) {
        FunctionCounter.builder("corral.guard.images", guard, VisionGuard::encodedImages)
                .description("Images and frames that the guard looked at; those that it remembered cost nothing")
                .tag("guard", guard.profile().id())
                .register(registry);
    }

    void remembered(String guard) {
        timer(guard, "scored", true).record(Duration.ZERO);
    }

    void unanswered(String guard, Reason reason) {
        timer(guard, label(reason), false).record(Duration.ZERO);
    }

    Assessment measured(String guard, Supplier<Assessment> judgement) {
        Timer.Sample sample = Timer.start(registry);
        Assessment assessment = judgement.get();
        String outcome = assessment instanceof Inconclusive inconclusive ? label(inconclusive.reason()) : "scored";
        sample.stop(timer(guard, outcome, false));
        return assessment;
    }

    private Timer timer(String guard, String outcome, boolean cached) {
        return Timer.builder("corral.guard.assess")
                .description("Texts judged; those without a verdict or from the cache take no time")
                .tags("guard", guard, "outcome", outcome, "cached", Boolean.toString(cached))
                .register(registry);
    }

    private static String label(Reason reason) {
        return reason.name().toLowerCase(Locale.ROOT);
    }
}
