package dev.corral.gateway.moderation;

import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Facts;
import dev.corral.policies.policy.PolicyRegistry;
import dev.corral.policies.taxonomy.Hazard;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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
    /** Revisions of policies and shadows that the log has a warning of. */
    private final Set<String> warned = ConcurrentHashMap.newKeySet();

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

    /** What the guard was not asked for, a shadow cannot judge: then it decides nothing, and is counted as unknown. */
    void compare(
            ModeratedExchange exchange,
            Facts facts,
            Decision decision,
            List<Hazard> lookedFor,
            Function<CompiledPolicy, Decision> decide) {
        for (String name : exchange.policy().policy().shadows()) {
            policies.find(name).ifPresent(shadow -> {
                List<String> missing = shadow.asked().stream()
                        .filter(hazard -> !lookedFor.contains(hazard))
                        .map(Hazard::code)
                        .toList();
                if (missing.isEmpty()) {
                    compare(exchange, facts, decision, shadow, decide.apply(shadow));
                } else {
                    count(exchange, facts, decision, shadow, "unknown");
                    warn(exchange.policy(), shadow, missing);
                }
            });
        }
    }

    private void warn(CompiledPolicy policy, CompiledPolicy shadow, List<String> missing) {
        if (warned.add(policy.revision() + " " + shadow.revision())) {
            log.warn(
                    "shadow {} is not judged: {} does not have the guard asked for {}; a shadow may look for fewer hazards"
                            + " than the policy in force, and not for others",
                    shadow.revision(),
                    policy.revision(),
                    missing);
        }
    }

    private void compare(
            ModeratedExchange exchange, Facts facts, Decision decision, CompiledPolicy shadow, Decision other) {
        count(exchange, facts, decision, shadow, ModeratedExchange.label(other.outcome()));
        if (decision.outcome() == other.outcome()) {
            return;
        }
        Difference difference = new Difference(
                exchange.id(),
                exchange.policy().revision(),
                shadow.revision(),
                direction(facts),
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

    private void count(
            ModeratedExchange exchange, Facts facts, Decision decision, CompiledPolicy shadow, String shadowDecision) {
        metrics.counter(
                        "corral.shadow",
                        "policy",
                        exchange.policy().name(),
                        "shadow",
                        shadow.name(),
                        "direction",
                        direction(facts),
                        "decision",
                        ModeratedExchange.label(decision.outcome()),
                        "shadow_decision",
                        shadowDecision)
                .increment();
    }

    private static String direction(Facts facts) {
        return facts.direction().name().toLowerCase(Locale.ROOT);
    }

    /** The latest differences, oldest first; at most a thousand. */
    public List<Difference> differences() {
        synchronized (differences) {
            return List.copyOf(differences);
        }
    }
}
