package dev.corral.gateway.moderation;

import dev.corral.gateway.admission.RequestBody;
import dev.corral.gateway.audit.AuditSink;
import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.gateway.dialect.Dialects;
import dev.corral.gateway.dialect.anthropic.AnthropicMessages;
import dev.corral.gateway.dialect.anthropic.AnthropicTokenCount;
import dev.corral.gateway.dialect.litellm.LiteLlmGuardrail;
import dev.corral.gateway.dialect.llamastack.LlamaStackApi;
import dev.corral.gateway.dialect.llamastack.LlamaStackInference;
import dev.corral.gateway.dialect.llamastack.LlamaStackShields;
import dev.corral.gateway.dialect.ollama.Ollama;
import dev.corral.gateway.dialect.ollama.OllamaApi;
import dev.corral.gateway.dialect.ollama.OllamaEmbeddings;
import dev.corral.gateway.dialect.openai.OpenAiChat;
import dev.corral.gateway.dialect.openai.OpenAiCompletions;
import dev.corral.gateway.dialect.openai.OpenAiEmbeddings;
import dev.corral.gateway.dialect.openai.OpenAiModerations;
import dev.corral.gateway.dialect.responses.OpenAiResponses;
import dev.corral.gateway.exchange.ErrorResponses;
import dev.corral.gateway.exchange.ExchangeLog;
import dev.corral.gateway.exchange.TenantHeader;
import dev.corral.gateway.image.FetchLimits;
import dev.corral.gateway.image.ImageFetcher;
import dev.corral.gateway.image.ImageIntake;
import dev.corral.gateway.upstream.IdleTimeout;
import dev.corral.gateway.upstream.ModelFacts;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.PolicyRegistry;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.InstantSource;
import java.util.List;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.cloud.gateway.filter.GatewayFilter;
import org.springframework.cloud.gateway.filter.factory.AbstractGatewayFilterFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;

/** The filter, and what it is made of. */
@Configuration(proxyBeanMethods = false)
public class ModerationConfiguration {

    private static final int MAX_REDIRECTS = 3;

    @Bean
    Dialects dialects() {
        InstantSource clock = InstantSource.system();
        return new Dialects(
                List.of(
                        new OpenAiChat(clock),
                        new OpenAiCompletions(clock),
                        new OpenAiResponses(clock),
                        new OllamaEmbeddings(), // at a path that ends like that of OpenAI's
                        new OpenAiEmbeddings(),
                        new AnthropicMessages(),
                        new AnthropicTokenCount(),
                        new Ollama(OllamaApi.CHAT, clock),
                        new Ollama(OllamaApi.GENERATE, clock),
                        new LlamaStackInference(LlamaStackApi.CHAT),
                        new LlamaStackInference(LlamaStackApi.COMPLETION)),
                List.of(new OpenAiModerations(), new LlamaStackShields(), new LiteLlmGuardrail(clock)));
    }

    @Bean
    RequestBody requestBody(CorralProperties properties) {
        return new RequestBody(properties.maxRequestSize());
    }

    @Bean
    ErrorResponses errorResponses(Dialects dialects) {
        return new ErrorResponses(dialects);
    }

    @Bean
    ExchangeLog exchangeLog(MeterRegistry metrics, AuditSink audit) {
        return new ExchangeLog(metrics, audit, InstantSource.system());
    }

    @Bean
    TenantHeader tenantHeader(CorralProperties properties, ErrorResponses errors) {
        return new TenantHeader(properties.tenant().header(), errors);
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
    ImageIntake imageIntake(ImageFetcher fetcher, CorralProperties properties) {
        return new ImageIntake(fetcher, properties.images().maxPerRequest());
    }

    @Bean
    Moderation moderation(
            Dialects dialects,
            RequestBody requestBody,
            CorralProperties properties,
            IdleTimeout idleTimeout,
            ImageIntake images,
            ModelFacts models,
            Panel panel,
            Shadows shadows,
            MeterRegistry metrics,
            ErrorResponses errors,
            ExchangeLog exchangeLog) {
        return new Moderation(
                dialects,
                requestBody,
                properties.maxAnswerSize(),
                properties.stream().keepAlive(),
                idleTimeout,
                images,
                models,
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

    @Bean
    VerdictEndpoint verdictEndpoint(
            Dialects dialects,
            RequestBody requestBody,
            ReactiveGuard guard,
            ImageIntake images,
            Panel panel,
            PolicyRegistry policies,
            CompiledPolicy defaultPolicy,
            ErrorResponses errors,
            ExchangeLog exchangeLog) {
        VerdictEndpoint endpoint = new VerdictEndpoint(
                dialects, requestBody, guard, images, panel, policies, defaultPolicy.name(), errors, exchangeLog);
        endpoint.setOrder(Ordered.HIGHEST_PRECEDENCE);
        return endpoint;
    }

    @Bean
    ShieldsEndpoint shieldsEndpoint(PolicyRegistry policies, ReactiveGuard guard) {
        ShieldsEndpoint endpoint = new ShieldsEndpoint(policies, guard.profile().id());
        endpoint.setOrder(Ordered.HIGHEST_PRECEDENCE);
        return endpoint;
    }
}
