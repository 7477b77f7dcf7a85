package dev.corral.gateway.upstream;

import dev.corral.gateway.configuration.CorralProperties;
import io.netty.channel.ChannelOption;
import java.net.URI;
import org.springframework.cloud.gateway.config.HttpClientCustomizer;
import org.springframework.cloud.gateway.filter.GatewayFilter;
import org.springframework.cloud.gateway.route.RouteLocator;
import org.springframework.cloud.gateway.route.builder.RouteLocatorBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;

/** The default route and the client for all upstreams. */
@Configuration(proxyBeanMethods = false)
public class UpstreamConfiguration {

    /** The default route's identifier. */
    public static final String DEFAULT_ROUTE = "corral";

    /** The identifier of the default route for APIs that are not below {@code /v1}. */
    public static final String OTHER_ROUTE = "corral-api";

    /**
     * {@code /v1/**} to the upstream, and {@code /api/**}, which is Ollama's, beside it: after every
     * route that somebody wrote.
     *
     * @param defaultModeration the filter of the default policy
     */
    @Bean
    RouteLocator defaultRoute(
            RouteLocatorBuilder routes, CorralProperties properties, GatewayFilter defaultModeration) {
        URI url = properties.upstream().url();
        String base = url.getRawPath().replaceAll("/+$", "");
        return routes.routes()
                .route(
                        DEFAULT_ROUTE,
                        route -> route.order(Ordered.LOWEST_PRECEDENCE)
                                .path("/v1/**")
                                .filters(filters -> filters.filter(defaultModeration)
                                        .rewritePath("^/v1(?<rest>/.*)?$", base.replace("$", "$\\") + "${rest}"))
                                .uri(url.resolve("/")))
                .route(
                        OTHER_ROUTE,
                        route -> route.order(Ordered.LOWEST_PRECEDENCE)
                                .path("/api/**")
                                .filters(filters -> filters.filter(defaultModeration)
                                        .rewritePath(
                                                "^/api(?<rest>/.*)?$",
                                                base.replaceFirst("/v1$", "").replace("$", "$\\") + "/api${rest}"))
                                .uri(url.resolve("/")))
                .build();
    }

    /**
     * Reactor Netty sends a request again when its connection breaks before an answer came. A chat request may be at work
     * already, and clients have their own retries.
     */
    @Bean
    HttpClientCustomizer upstreamManners(CorralProperties properties) {
        int connectTimeout =
                Math.toIntExact(properties.upstream().connectTimeout().toMillis());
        return client ->
                client.disableRetry(true).option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.max(1, connectTimeout));
    }

    @Bean
    IdleTimeout idleTimeout(CorralProperties properties) {
        return new IdleTimeout(properties.upstream().idleTimeout());
    }
}
