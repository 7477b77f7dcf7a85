package dev.corral.gateway.moderation;

import dev.corral.gateway.exchange.FilterOrder;
import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.policies.policy.NoSuchPolicyException;
import dev.corral.policies.policy.PolicyRegistry;
import java.util.List;
import java.util.Optional;
import org.springframework.boot.diagnostics.FailureAnalyzedException;
import org.springframework.cloud.gateway.filter.GatewayFilter;
import org.springframework.cloud.gateway.filter.GatewayFilterChain;
import org.springframework.cloud.gateway.filter.OrderedGatewayFilter;
import org.springframework.cloud.gateway.filter.factory.AbstractGatewayFilterFactory;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** {@code Moderate=policy-name} in the filters of a route; {@code Moderate} alone takes the default policy. */
public final class ModerateGatewayFilterFactory
        extends AbstractGatewayFilterFactory<AbstractGatewayFilterFactory.NameConfig> {

    private final PolicyRegistry policies;
    private final String defaultPolicy;
    private final Moderation moderation;

    /**
     * A factory for filters under these policies.
     *
     * @param defaultPolicy a name in the registry
     */
    public ModerateGatewayFilterFactory(PolicyRegistry policies, String defaultPolicy, Moderation moderation) {
        super(NameConfig.class);
        this.policies = policies;
        this.defaultPolicy = defaultPolicy;
        this.moderation = moderation;
    }

    @Override
    public List<String> shortcutFieldOrder() {
        return List.of(NAME_KEY);
    }

    /**
     * A filter for one route.
     *
     * @throws FailureAnalyzedException where no policy has this name
     */
    @Override
    public GatewayFilter apply(NameConfig config) {
        String name = config.getName() == null ? defaultPolicy : config.getName();
        try {
            policies.get(name);
        } catch (NoSuchPolicyException e) {
            throw new FailureAnalyzedException(
                    "A route has the filter Moderate=" + name + ": " + e.getMessage() + ".",
                    "Correct the name, or put the policy's file into the folder that corral.policy.directory names.",
                    e);
        }
        return new OrderedGatewayFilter(
                new Moderated(Optional.ofNullable(config.getName())), FilterOrder.MODERATION.order());
    }

    /** Whether a filter of a route, as the framework holds it, is one of these. */
    public static boolean isModeration(GatewayFilter filter) {
        return filter instanceof OrderedGatewayFilter ordered && ordered.getDelegate() instanceof Moderated;
    }

    private final class Moderated implements GatewayFilter {

        private final Optional<String> named;

        Moderated(Optional<String> named) {
            this.named = named;
        }

        @Override
        public Mono<Void> filter(ServerWebExchange exchange, GatewayFilterChain chain) {
            return moderation.filter(
                    exchange,
                    chain,
                    policies.resolve(
                            ModeratedExchange.tenant(exchange),
                            ModeratedExchange.route(exchange),
                            named,
                            defaultPolicy));
        }

        @Override
        public String toString() {
            return "Moderate=" + named.orElse(defaultPolicy);
        }
    }
}
