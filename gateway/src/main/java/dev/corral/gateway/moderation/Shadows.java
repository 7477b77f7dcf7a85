package dev.corral.gateway.moderation;

import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Facts;
import dev.corral.policies.policy.PolicyRegistry;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Policies that are judged beside the one in force and never enforced, on the same assessments: the guard is not asked
 * again. Each is counted in {@code corral.shadow}; where it decides differently, the log says so, and the latest
 * differences are kept for review, without a word of what was said.
 */
public final class Shadows {

    private static final Logger log = LoggerFactory.getLogger(Shadows.class);
    private static final int KEPT = 1_000;

    private final PolicyRegistry policies;
    private final MeterRegistry metrics;
    private final Deque<Difference> differences = new ArrayDeque<>();

    /** Looks for shadows among these policies. */
    public Shadows(PolicyRegistry policies, MeterRegistry metrics) {
        this.policies = policies;
        this.metrics = metrics;
    }

    /**
     * A shadow that decided differently.
     *
     * @param exchange its id, as in the log
     * @param policy revision in force
     * @param shadow revision of the shadow
     * @param explanation of the shadow's decision
     */
    public record Difference(
            String exchange,
            String policy,
            String shadow,
            String direction,
            String decision,
            String shadowDecision,
            List<String> rules,
            List<String> shadowRules,
            String explanation) {}

    void compare(
            ModeratedExchange exchange, Facts facts, Decision decision, Function<CompiledPolicy, Decision> decide) {
        for (String name : exchange.policy().policy().shadows()) {
            policies.find(name).ifPresent(shadow -> compare(exchange, facts, decision, shadow, decide.apply(shadow)));
        }
    }

    private void compare(
            ModeratedExchange exchange, Facts facts, Decision decision, CompiledPolicy shadow, Decision other) {
        String direction = facts.direction().name().toLowerCase(Locale.ROOT);
        metrics.counter(
                        "corral.shadow",
                        "policy",
                        exchange.policy().name(),
                        "shadow",
                        shadow.name(),
                        "direction",
                        direction,
                        "decision",
                        ModeratedExchange.label(decision.outcome()),
                        "shadow_decision",
                        ModeratedExchange.label(other.outcome()))
                .increment();
        if (decision.outcome() == other.outcome()) {
            return;
        }
        Difference difference = new Difference(
                exchange.id(),
                exchange.policy().revision(),
                shadow.revision(),
                direction,
                ModeratedExchange.label(decision.outcome()),
                ModeratedExchange.label(other.outcome()),
                decision.ruleIds(),
                other.ruleIds(),
                other.explanation());
        log.info(
                "exchange {} {}: shadow {} would {} by {} where {} did {} by {}",
                difference.exchange,
                difference.direction,
                difference.shadow,
                difference.shadowDecision,
                difference.shadowRules,
                difference.policy,
                difference.decision,
                difference.rules);
        synchronized (differences) {
            if (differences.size() == KEPT) {
                differences.removeFirst();
            }
            differences.addLast(difference);
        }
    }

    /** The latest differences, oldest first; at most a thousand. */
    public List<Difference> differences() {
        synchronized (differences) {
            return List.copyOf(differences);
        }
    }
}
