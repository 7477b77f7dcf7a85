package dev.corral.gateway.exchange;

import dev.corral.gateway.dialect.GatewayError;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Direction;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/**
 * What is known of an exchange under moderation: a typed view over one attribute of the framework's exchange. The policy
 * is pinned at the start, so that prompt and answer meet the same revision.
 */
public final class ModeratedExchange {

    private static final String ATTRIBUTE = ModeratedExchange.class.getName();

    private final String id = UUID.randomUUID().toString();
    private final CompiledPolicy policy;
    private final Map<Direction, Outcome> outcomes = Collections.synchronizedMap(new EnumMap<>(Direction.class));
    private final SortedSet<String> rules = Collections.synchronizedSortedSet(new TreeSet<>());

    private volatile @Nullable GatewayError failure;

    private ModeratedExchange(CompiledPolicy policy) {
        this.policy = policy;
    }

    /** Puts an exchange under a policy; its answer, whoever writes it, will have our headers. */
    public static ModeratedExchange begin(ServerWebExchange exchange, CompiledPolicy policy) {
        ModeratedExchange moderated = new ModeratedExchange(policy);
        exchange.getAttributes().put(ATTRIBUTE, moderated);
        ServerHttpResponse response = exchange.getResponse();
        response.beforeCommit(() -> Mono.fromRunnable(() -> moderated.describe(response.getHeaders())));
        return moderated;
    }

    /** The view, where the exchange is under moderation. */
    public static Optional<ModeratedExchange> of(ServerWebExchange exchange) {
        return Optional.ofNullable(exchange.getAttribute(ATTRIBUTE));
    }

    /** Random, unique. */
    public String id() {
        return id;
    }

    public CompiledPolicy policy() {
        return policy;
    }

    /** Notes a decision; of several in one direction, the strictest counts. */
    public void decided(Direction direction, Decision decision) {
        outcomes.merge(direction, decision.outcome(), (a, b) -> a.compareTo(b) >= 0 ? a : b);
        rules.addAll(decision.ruleIds());
    }

    /** The strictest decision in one direction; empty where nothing was judged. */
    public Optional<Outcome> outcome(Direction direction) {
        return Optional.ofNullable(outcomes.get(direction));
    }

    /** Notes what the client was told of a failure. */
    public void failed(GatewayError error) {
        failure = error;
    }

    /** What the client was told of a failure, if there was one. */
    public Optional<GatewayError> failure() {
        return Optional.ofNullable(failure);
    }

    /** The decision as headers, metrics and the log say it, such as {@code allow}. */
    public static String label(Outcome outcome) {
        return outcome.name().toLowerCase(Locale.ROOT);
    }

    /** The rules that led to the decisions, for people who read logs. */
    public Collection<String> rules() {
        synchronized (rules) {
            return new TreeSet<>(rules);
        }
    }

    private void describe(HttpHeaders headers) {
        headers.set(
                ExchangeHeaders.DECISION,
                outcomes.values().stream()
                        .max(Comparator.naturalOrder())
                        .map(ModeratedExchange::label)
                        .orElse(ExchangeHeaders.NOTHING_JUDGED));
        headers.set(ExchangeHeaders.POLICY, policy.revision());
        headers.set(ExchangeHeaders.EXCHANGE, id);
    }
}
