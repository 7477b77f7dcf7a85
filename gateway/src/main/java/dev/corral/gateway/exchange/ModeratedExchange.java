package dev.corral.gateway.exchange;

import dev.corral.gateway.audit.AuditEvent;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.refusal.PortkeyHooks;
import dev.corral.policies.policy.BlockStyle;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.Facts;
import java.time.Instant;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.gateway.route.Route;
import org.springframework.cloud.gateway.support.ServerWebExchangeUtils;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/**
 * What is known of an exchange under moderation: a typed view over one attribute of the framework's exchange. The policy
 * is pinned at the start, so that prompt and answer meet the same revision.
 */
public final class ModeratedExchange {

    /** The attribute of the framework's exchange in which whoever knows the tenant leaves its name, a text. */
    public static final String TENANT = "corral.tenant";

    /** The attribute in which an endpoint of the gateway's own, which is no route, leaves the name that policies know it by. */
    public static final String ENDPOINT = "corral.endpoint";

    private static final String ATTRIBUTE = ModeratedExchange.class.getName();

    private final String id = UUID.randomUUID().toString();
    private volatile CompiledPolicy policy;
    private final String route;
    private final String tenant;
    private final List<String> languages;
    private final Map<Direction, Judged> judged = Collections.synchronizedMap(new EnumMap<>(Direction.class));
    private final SortedSet<String> rules = Collections.synchronizedSortedSet(new TreeSet<>());

    private volatile @Nullable GatewayError failure;
    private volatile @Nullable String upstream;
    private volatile @Nullable StreamReport stream;
    private volatile String model = "";

    /** A decision that counts, and what an audit may keep of it. */
    private record Judged(Decision decision, Supplier<AuditEvent.Decided> audited) {

        Outcome outcome() {
            return decision.outcome();
        }
    }

    private ModeratedExchange(CompiledPolicy policy, String route, String tenant, List<String> languages) {
        this.policy = policy;
        this.route = route;
        this.tenant = tenant;
        this.languages = List.copyOf(languages);
    }

    /** Puts an exchange under a policy; its answer, whoever writes it, will have our headers. */
    public static ModeratedExchange begin(ServerWebExchange exchange, CompiledPolicy policy) {
        ModeratedExchange moderated =
                new ModeratedExchange(policy, route(exchange), tenant(exchange), languages(exchange));
        exchange.getAttributes().put(ATTRIBUTE, moderated);
        ServerHttpResponse response = exchange.getResponse();
        response.beforeCommit(() -> Mono.fromRunnable(() -> moderated.describe(response)));
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

    /** Puts it under the policy that its request names, before anything was judged. */
    public void governedBy(CompiledPolicy named) {
        policy = named;
    }

    /** What the policy may know of it. */
    public Facts facts(Direction direction, String model) {
        return new Facts(direction, route, tenant, model, languages);
    }

    /** The id of the route that an exchange takes, or the name of the endpoint; empty where it is at neither. */
    public static String route(ServerWebExchange exchange) {
        Route route = exchange.getAttribute(ServerWebExchangeUtils.GATEWAY_ROUTE_ATTR);
        if (route != null) {
            return route.getId();
        }
        return exchange.getAttribute(ENDPOINT) instanceof String endpoint ? endpoint : "";
    }

    /** Whose traffic an exchange is; empty where that is not known. */
    public static String tenant(ServerWebExchange exchange) {
        return exchange.getAttribute(TENANT) instanceof String tenant ? tenant : "";
    }

    private static List<String> languages(ServerWebExchange exchange) {
        try {
            return exchange.getRequest().getHeaders().getAcceptLanguage().stream()
                    .map(Locale.LanguageRange::getRange)
                    .filter(range -> !range.equals("*"))
                    .toList();
        } catch (IllegalArgumentException _) {
            return List.of();
        }
    }

    /**
     * Notes a decision; of several in one direction, the strictest counts, and of those the latest.
     *
     * @param audited what an audit may keep of it
     */
    public void decided(Direction direction, Decision decision, Supplier<AuditEvent.Decided> audited) {
        judged.merge(
                direction,
                new Judged(decision, audited),
                (old, next) -> old.outcome().compareTo(next.outcome()) > 0 ? old : next);
        rules.addAll(decision.ruleIds());
    }

    /** Notes the model that the client named. */
    public void names(String requested) {
        model = requested;
    }

    /** What an audit keeps of it. */
    AuditEvent event(Instant end, int status, String ending) {
        List<Judged> decisions;
        synchronized (judged) {
            decisions = List.copyOf(judged.values());
        }
        return new AuditEvent(
                end,
                id,
                tenant,
                route,
                model,
                languages,
                policy.revision(),
                decisions.stream().map(each -> each.audited.get()).toList(),
                status,
                ending);
    }

    /** The strictest decision in one direction, and of those the latest; where nothing was judged, nothing was found. */
    public Decision decision(Direction direction) {
        return Optional.ofNullable(judged.get(direction))
                .map(Judged::decision)
                .orElseGet(() -> new Decision.Allow(List.of(), List.of(), "nothing was judged"));
    }

    /** The outcome of the strictest decision in one direction; empty where nothing was judged. */
    public Optional<Outcome> outcome(Direction direction) {
        return Optional.ofNullable(judged.get(direction)).map(Judged::outcome);
    }

    /** Notes which upstream was asked; of several, the last. */
    public void servedBy(String name) {
        upstream = name;
    }

    /** The upstream that was asked, if one was. */
    public Optional<String> upstream() {
        return Optional.ofNullable(upstream);
    }

    /** Notes what the client was told of a failure. */
    public void failed(GatewayError error) {
        failure = error;
    }

    /** Notes what became of a streamed answer. */
    public void streamed(StreamReport report) {
        stream = report;
    }

    /** What became of a streamed answer, if there was one. */
    public Optional<StreamReport> stream() {
        return Optional.ofNullable(stream);
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

    private void describe(ServerHttpResponse response) {
        Optional<Outcome> strictest =
                judged.values().stream().map(Judged::outcome).max(Comparator.naturalOrder());
        if (policy.blockStyle() == BlockStyle.PORTKEY
                && strictest.equals(Optional.of(Outcome.FLAG))
                && HttpStatus.OK.equals(response.getStatusCode())) {
            response.setRawStatusCode(PortkeyHooks.FLAGGED);
        }
        HttpHeaders headers = response.getHeaders();
        headers.set(
                ExchangeHeaders.DECISION,
                strictest.map(ModeratedExchange::label).orElse(ExchangeHeaders.NOTHING_JUDGED));
        headers.set(ExchangeHeaders.POLICY, policy.revision());
        headers.set(ExchangeHeaders.EXCHANGE, id);
    }
}
