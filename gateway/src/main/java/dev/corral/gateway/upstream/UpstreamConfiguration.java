package dev.corral.gateway.upstream;

import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.gateway.configuration.CorralProperties.ClientCredentials;
import dev.corral.gateway.translation.Translator;
import dev.corral.guardmodels.remote.ApiKey;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.channel.ChannelOption;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.diagnostics.FailureAnalyzedException;
import org.springframework.boot.web.server.autoconfigure.ServerProperties;
import org.springframework.cloud.gateway.config.HttpClientCustomizer;
import org.springframework.cloud.gateway.config.HttpClientFactory;
import org.springframework.cloud.gateway.config.HttpClientProperties;
import org.springframework.cloud.gateway.config.HttpClientSslConfigurer;
import org.springframework.cloud.gateway.filter.GatewayFilter;
import org.springframework.cloud.gateway.filter.headers.HttpHeadersFilter;
import org.springframework.cloud.gateway.route.RouteLocator;
import org.springframework.cloud.gateway.route.builder.RouteLocatorBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.env.Environment;
import reactor.netty.http.client.HttpClient;

/** The upstreams, the default route to them, and the manners towards all others. */
@Configuration(proxyBeanMethods = false)
public class UpstreamConfiguration {

    /** The default route's identifier. */
    public static final String DEFAULT_ROUTE = "corral";

    private static final Logger log = LoggerFactory.getLogger(UpstreamConfiguration.class);

    private static final String GENERIC = "openai";
    private static final String CLIENT_PROPERTIES = "spring.cloud.gateway.server.webflux.httpclient";
    private static final Set<String> THIS_MACHINE = Set.of("localhost", "127.0.0.1", "[::1]");

    /**
     * {@code /v1/**} and the paths of Ollama's own API to the upstreams, after every route that somebody wrote.
     *
     * @param defaultModeration the filter of the default policy
     */
    @Bean
    RouteLocator defaultRoute(RouteLocatorBuilder routes, GatewayFilter defaultModeration) {
        return routes.routes()
                .route(
                        DEFAULT_ROUTE,
                        route -> route.order(Ordered.LOWEST_PRECEDENCE)
                                .path("/v1/**", "/api/**")
                                .filters(filters -> filters.filter(defaultModeration))
                                .uri(Upstreams.SCHEME + "://" + CorralProperties.BY_MODEL))
                .build();
    }

    /**
     * Reactor Netty sends a request again when its connection breaks before an answer came. A chat request may be at work
     * already, and clients have their own retries.
     */
    @Bean
    HttpClientCustomizer upstreamManners(CorralProperties properties) {
        Duration connectTimeout =
                properties.backends().values().iterator().next().connectTimeout();
        return client -> client.disableRetry(true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.toIntExact(Math.max(1, connectTimeout.toMillis())));
    }

    /** For routes that lead elsewhere than to an upstream. */
    @Bean
    IdleTimeout idleTimeout(CorralProperties properties) {
        return new IdleTimeout(
                properties.backends().values().iterator().next().idleTimeout(), "corral.upstream.idle-timeout");
    }

    @Bean
    ModelFacts modelFacts(CorralProperties properties) {
        return new ModelFacts(properties.models());
    }

    /** By which breakers measure how long an upstream is left alone. */
    @Bean
    @ConditionalOnMissingBean
    Clock upstreamClock() {
        return Clock.systemUTC();
    }

    @Bean
    Upstreams upstreams(
            CorralProperties properties,
            Environment environment,
            ServerProperties server,
            HttpClientSslConfigurer ssl,
            List<HttpClientCustomizer> customizers,
            Clock upstreamClock) {
        List<Upstream> all = new ArrayList<>();
        properties
                .backends()
                .forEach((name, settings) -> all.add(upstream(
                        name,
                        settings,
                        properties,
                        environment,
                        client(name, settings, environment, server, ssl, customizers),
                        upstreamClock)));
        DoubleSupplier dice = () -> ThreadLocalRandom.current().nextDouble();
        return new Upstreams(all, dice);
    }

    @Bean
    UpstreamCall upstreamCall(
            Upstreams upstreams,
            CorralProperties properties,
            MeterRegistry metrics,
            HttpClient client,
            ObjectProvider<List<HttpHeadersFilter>> headersFilters) {
        return new UpstreamCall(
                upstreams,
                new UpstreamMetrics(metrics),
                new ModelLists(upstreams, properties.maxAnswerSize()),
                new Candidates(new Translator(InstantSource.system())),
                client,
                headersFilters);
    }

    private static Upstream upstream(
            String name,
            CorralProperties.Upstream settings,
            CorralProperties properties,
            Environment environment,
            HttpClient client,
            Clock clock) {
        String key = properties.keyOf(name);
        try {
            Preset preset = preset(settings, key);
            URI base = base(settings, preset, key);
            requireAnother(base, properties, key);
            Optional<Credential> credential = credential(name, settings, properties, preset, key, environment);
            return new Upstream(
                    name,
                    key,
                    preset,
                    base,
                    settings,
                    credential,
                    clientCredentials(settings, properties, preset, key, credential.isPresent()),
                    client,
                    breaker(name, settings.breaker(), clock));
        } catch (IllegalArgumentException e) {
            FailureAnalyzedException unusable = new FailureAnalyzedException(
                    "The upstream '" + name + "' cannot be used: " + e.getMessage() + ".",
                    "Correct the settings below " + key + "; docs/upstreams.md explains them.");
            unusable.initCause(e);
            throw unusable;
        }
    }

    private static Preset preset(CorralProperties.Upstream settings, String key) {
        if (settings.preset() == null && settings.url() == null) {
            throw new IllegalArgumentException(key + " must have a preset or a url");
        }
        String named = Optional.ofNullable(settings.preset()).orElse(GENERIC);
        return Preset.named(named)
                .orElseThrow(() ->
                        new IllegalArgumentException(key + ".preset must be one of " + Preset.names() + ": " + named));
    }

    private static URI base(CorralProperties.Upstream settings, Preset preset, String key) {
        if (settings.url() != null) {
            if (!settings.values().isEmpty()) {
                throw new IllegalArgumentException(key + ".values must be left out where there is a url: "
                        + String.join(", ", settings.values().keySet()));
            }
            return settings.url();
        }
        if (preset.url() == null) {
            throw new IllegalArgumentException(key + ".url must be set: only you know where " + preset.title() + " is");
        }
        try {
            return preset.base(settings.values());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(key + "." + e.getMessage(), e);
        }
    }

    /** A gateway in front of itself would ask itself for ever. */
    private static void requireAnother(URI base, CorralProperties properties, String key) {
        boolean here = THIS_MACHINE.contains(base.getHost())
                && (properties.address().isAnyLocalAddress()
                        || properties.address().isLoopbackAddress());
        int port = base.getPort() >= 0 ? base.getPort() : base.getScheme().equals("https") ? 443 : 80;
        if (here && port == properties.port()) {
            throw new IllegalArgumentException(key + ".url must not be this gateway's own address: " + base
                    + "; give the gateway another port (--port, corral.port), or the upstream");
        }
    }

    private static Optional<Credential> credential(
            String name,
            CorralProperties.Upstream settings,
            CorralProperties properties,
            Preset preset,
            String key,
            Environment environment) {
        ApiKey set = settings.apiKey();
        if (set != null) {
            return Optional.of(Credential.of(set, key + ".api-key"));
        }
        Path file = settings.apiKeyFile();
        if (file != null) {
            return Optional.of(Credential.in(file, key + ".api-key-file"));
        }
        Path directory = properties.secretsDirectory();
        if (directory != null && Files.exists(directory.resolve(name))) {
            return Optional.of(Credential.in(directory.resolve(name), "corral.secrets-directory"));
        }
        String variable = preset.key().variable();
        return Optional.ofNullable(variable)
                .map(environment::getProperty)
                .filter(value -> !value.isBlank())
                .map(value -> Credential.of(ApiKey.of(value), String.valueOf(variable)));
    }

    private static ClientCredentials clientCredentials(
            CorralProperties.Upstream settings,
            CorralProperties properties,
            Preset preset,
            String key,
            boolean hasKey) {
        ClientCredentials wanted = settings.clientCredentials();
        if (wanted == ClientCredentials.PASS && hasKey) {
            throw new IllegalArgumentException(
                    key
                            + ".client-credentials must be drop or left out where the upstream has a key: it sees that key only");
        }
        if (wanted != null) {
            return wanted;
        }
        if (hasKey || properties.backends().size() > 1) {
            if (!hasKey && preset.key().needed()) {
                throw new IllegalArgumentException(key + ".api-key-file must be set: " + preset.title()
                        + " answers nobody without a key; or set " + key
                        + ".client-credentials to pass, where clients bring their own");
            }
            return ClientCredentials.DROP;
        }
        return ClientCredentials.PASS;
    }

    private static CircuitBreaker breaker(String name, CorralProperties.Breaker settings, Clock clock) {
        CircuitBreaker breaker = CircuitBreaker.of(
                name,
                CircuitBreakerConfig.custom()
                        .slidingWindow(
                                settings.requests(),
                                settings.requests(),
                                CircuitBreakerConfig.SlidingWindowType.COUNT_BASED)
                        .failureRateThreshold(settings.failureRate())
                        .waitDurationInOpenState(settings.pause())
                        .permittedNumberOfCallsInHalfOpenState(settings.probes())
                        .clock(clock)
                        .build());
        breaker.getEventPublisher()
                .onStateTransition(event -> log.warn(
                        "the upstream '{}' {}",
                        name,
                        switch (event.getStateTransition().getToState()) {
                            case OPEN, FORCED_OPEN ->
                                "is left alone for " + settings.pause().toMillis()
                                        + " ms, because too many requests failed";
                            case HALF_OPEN -> "is tried again";
                            case CLOSED, DISABLED, METRICS_ONLY -> "is well again";
                        }));
        return breaker;
    }

    /** The framework's client with connections of its own, so that one upstream cannot take those of another. */
    private static HttpClient client(
            String name,
            CorralProperties.Upstream settings,
            Environment environment,
            ServerProperties server,
            HttpClientSslConfigurer ssl,
            List<HttpClientCustomizer> customizers) {
        HttpClientProperties properties =
                Binder.get(environment).bindOrCreate(CLIENT_PROPERTIES, HttpClientProperties.class);
        properties.getPool().setName("upstream-" + name);
        properties.getPool().setMaxConnections(settings.maxConnections());
        HttpClientFactory factory = new HttpClientFactory(properties, server, ssl, customizers);
        try {
            factory.afterPropertiesSet();
            return Optional.ofNullable(factory.getObject())
                    .orElseThrow()
                    .option(
                            ChannelOption.CONNECT_TIMEOUT_MILLIS,
                            Math.toIntExact(
                                    Math.max(1, settings.connectTimeout().toMillis())));
        } catch (Exception e) {
            throw new IllegalStateException("the client for the upstream '" + name + "' cannot be made", e);
        }
    }
}
