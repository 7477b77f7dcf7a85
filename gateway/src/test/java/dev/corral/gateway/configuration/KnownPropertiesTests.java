package dev.corral.gateway.configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.boot.diagnostics.FailureAnalyzedException;
import org.springframework.context.support.StaticApplicationContext;
import org.springframework.core.env.MapPropertySource;

class KnownPropertiesTests {

    private static void check(String key, String value) {
        StaticApplicationContext context = new StaticApplicationContext();
        context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("test", Map.of(key, value)));
        new KnownProperties().initialize(context);
    }

    private static FailureAnalyzedException failure(String key, String value) {
        return catchThrowableOfType(FailureAnalyzedException.class, () -> check(key, value));
    }

    @Test
    void initializeWhenAKeyIsKnownInAnySpellingAcceptsIt() {
        assertThatCode(() -> {
                    check("corral.max-answer-size", "1MB");
                    check("corral.maxAnswerSize", "1MB");
                    check("CORRAL_UPSTREAM_URL", "http://localhost");
                    check("CORRAL_MAX_ANSWER_SIZE", "1MB");
                    check("CORRAL_SERVICE_HOST", "10.0.0.1");
                    check("CORRAL_PORT_8080_TCP", "tcp://10.0.0.1:8080");
                    check("spring.application.name", "x");
                    check("corral.upstreams.my-own.url", "http://localhost");
                    check("corral.upstreams.my-own.values.region", "us-east-1");
                    check("corral.upstreams.my-own.breaker.failureRate", "40");
                    check("corral.upstreams.my-own.models[0]", "llama-*");
                    check("CORRAL_UPSTREAMS_LOCAL_URL", "http://localhost");
                    check("CORRAL_UPSTREAMS_LOCAL_API_KEY", "sk-1");
                    check("CORRAL_UPSTREAMS_LOCAL_APIKEY", "sk-1");
                    check("CORRAL_UPSTREAMS_LOCAL_MODELS_0", "llama-*");
                    check("CORRAL_UPSTREAM_BREAKER_PAUSE", "1s");
                })
                .doesNotThrowAnyException();
    }

    @Test
    void initializeWhenAKeyIsMisspeltSaysWhatWasMeant() {
        assertThat(failure("corral.upstream.uri", "x").analysis().getDescription())
                .contains("'corral.upstream.uri'", "Did you mean 'corral.upstream.url'?");
        assertThat(failure("CORRAL_POLICY_FIEL", "x").analysis().getDescription())
                .contains("Did you mean 'corral.policy.file'?");
        assertThat(failure("corral.upstreams.local.prest", "x").analysis().getDescription())
                .contains("'corral.upstreams.local.prest'");
        assertThat(failure("corral.upstreams.local.base-url", "x").analysis().getDescription())
                .contains("'corral.upstreams.local.base-url'");
        assertThat(failure("corral.upstreams.url", "x").analysis().getDescription())
                .contains("Did you mean 'corral.upstream.url'?");
        assertThat(failure("CORRAL_UPSTREAMS_LOCAL_BASE_URL", "x").analysis().getDescription())
                .contains("There is no setting");
        assertThat(failure("corral.max.answer.size", "1MB").analysis().getDescription())
                .contains("Did you mean 'corral.max-answer-size'?");
        assertThat(failure("corral.entirely.unknown", "x").analysis().getAction())
                .contains("corral.guard.queue");
    }

    @Test
    void initializeWhenKubernetesSetsThePortSaysSo() {
        assertThat(failure("corral.port", "tcp://10.0.0.1:8080").analysis().getAction())
                .contains("enableServiceLinks");
    }
}
