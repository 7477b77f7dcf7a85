package dev.corral.gateway.moderation;

import dev.corral.gateway.admission.RequestBody;
import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.openai.OpenAiChat;
import dev.corral.gateway.exchange.ErrorResponses;
import dev.corral.gateway.exchange.ExchangeLog;
import dev.corral.gateway.image.FetchLimits;
import dev.corral.gateway.image.ImageFetcher;
import dev.corral.gateway.image.ImageIntake;
import dev.corral.gateway.upstream.IdleTimeout;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.PolicyRegistry;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.cloud.gateway.filter.GatewayFilter;
import org.springframework.cloud.gateway.filter.factory.AbstractGatewayFilterFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.http.HttpMethod;
import org.springframework.web.reactive.HandlerMapping;
import org.springframework.web.reactive.handler.SimpleUrlHandlerMapping;
import org.springframework.web.server.MethodNotAllowedException;
import org.springframework.web.server.WebHandler;
import reactor.core.publisher.Mono;

/** The filter, and what it is made of. */
@Configuration(proxyBeanMethods = false)
public class ModerationConfiguration {

    private static final int MAX_REDIRECTS = 3;

    @Bean
    Dialect openAiChat() {
        return new OpenAiChat(InstantSource.system());
    }

    @Bean
    RequestBody requestBody(CorralProperties properties) {
        return new RequestBody(properties.maxRequestSize());
    }

    @Bean
    ErrorResponses errorResponses(Dialect openAiChat) {
        return new ErrorResponses(openAiChat);
    }

    @Bean
    ExchangeLog exchangeLog(MeterRegistry metrics) {
        return new ExchangeLog(metrics);
    }

    @Bean
    Shadows shadows(PolicyRegistry policies, MeterRegistry metrics) {
        return new Shadows(policies, metrics);
    }

    @Bean
    @ConditionalOnMissingBean
    ImageFetcher imageFetcher(CorralProperties properties) {
        return new ImageFetcher(new FetchLimits(
                properties.images().maxSize().toBytes(), properties.images().fetchTimeout(), MAX_REDIRECTS));
    }

    @Bean
    Moderation moderation(
            List<Dialect> dialects,
            RequestBody requestBody,
            CorralProperties properties,
            IdleTimeout idleTimeout,
            ImageFetcher imageFetcher,
            Panel panel,
            Shadows shadows,
            MeterRegistry metrics,
            ErrorResponses errors,
            ExchangeLog exchangeLog) {
        return new Moderation(
                dialects,
                requestBody,
                properties.maxAnswerSize(),
                idleTimeout,
                new ImageIntake(imageFetcher, properties.images().maxPerRequest()),
                panel,
                shadows,
                metrics,
                errors,
                exchangeLog);
    }

    @Bean
    ModerateGatewayFilterFactory moderateGatewayFilterFactory(
            PolicyRegistry policies, CompiledPolicy defaultPolicy, Moderation moderation) {
        return new ModerateGatewayFilterFactory(policies, defaultPolicy.name(), moderation);
    }

    @Bean
    GatewayFilter defaultModeration(ModerateGatewayFilterFactory factory) {
        return factory.apply(new AbstractGatewayFilterFactory.NameConfig());
    }

    /** Before all routes, which might send moderations to an upstream that is not the judge here. */
    @Bean
    HandlerMapping moderations(
            RequestBody requestBody,
            ReactiveGuard guard,
            PolicyRegistry policies,
            CompiledPolicy defaultPolicy,
            ErrorResponses errors,
            ExchangeLog exchangeLog) {
        ModerationsEndpoint endpoint = new ModerationsEndpoint(
                requestBody, guard, () -> policies.get(defaultPolicy.name()), errors, exchangeLog);
        WebHandler handler = exchange -> exchange.getRequest().getMethod().equals(HttpMethod.POST)
                ? endpoint.handle(exchange)
                : Mono.error(
                        new MethodNotAllowedException(exchange.getRequest().getMethod(), List.of(HttpMethod.POST)));
        SimpleUrlHandlerMapping mapping =
                new SimpleUrlHandlerMapping(Map.of("/v1/moderations", handler, "/v1/moderations/", handler));
        mapping.setOrder(Ordered.HIGHEST_PRECEDENCE);
        return mapping;
    }
}
