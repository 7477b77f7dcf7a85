package dev.corral.gateway.moderation;

import dev.corral.gateway.dialect.WireResponse;
import dev.corral.gateway.dialect.llamastack.LlamaStackShields;
import dev.corral.gateway.exchange.WireResponses;
import dev.corral.policies.policy.PolicyRegistry;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpMethod;
import org.springframework.web.reactive.handler.AbstractHandlerMapping;
import org.springframework.web.server.MethodNotAllowedException;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebHandler;
import reactor.core.publisher.Mono;

/** {@code GET /v1/shields}: which shields Llama Stack's clients may ask. None can be added or taken away. */
public final class ShieldsEndpoint extends AbstractHandlerMapping {

    private static final Pattern PATH = Pattern.compile("/v1/shields(?:/(?<name>[^/]{1,256}))?/?");

    private final LlamaStackShields dialect = new LlamaStackShields();
    private final PolicyRegistry policies;
    private final String guard;

    /**
     * Lists the policies in force.
     *
     * @param guard identifier of the guard that judges by them
     */
    public ShieldsEndpoint(PolicyRegistry policies, String guard) {
        this.policies = policies;
        this.guard = guard;
    }

    @Override
    protected Mono<WebHandler> getHandlerInternal(ServerWebExchange exchange) {
        Matcher path = PATH.matcher(
                exchange.getRequest().getPath().pathWithinApplication().value());
        return path.matches() ? Mono.just(asking -> handle(asking, path.group("name"))) : Mono.empty();
    }

    private Mono<Void> handle(ServerWebExchange exchange, @Nullable String name) {
        HttpMethod method = exchange.getRequest().getMethod();
        return method.equals(HttpMethod.GET)
                ? WireResponses.write(exchange.getResponse(), answer(name))
                : Mono.error(new MethodNotAllowedException(method, List.of(HttpMethod.GET)));
    }

    private WireResponse answer(@Nullable String name) {
        if (name == null) {
            return dialect.list(policies.names(), guard);
        }
        return LlamaStackShields.policy(name).stream().allMatch(policies.names()::contains)
                ? dialect.describe(name, guard)
                : dialect.error(
                        LlamaStackShields.unknown(name, 404, policies.names()).error());
    }
}
