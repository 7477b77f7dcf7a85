package dev.corral.gateway.configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.gateway.translation.ChatApi;
import dev.corral.guardmodels.onnx.Provider;
import dev.corral.guardmodels.remote.Api;
import dev.corral.guardmodels.store.NamedHazards;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;
import org.springframework.boot.convert.ApplicationConversionService;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.core.io.ClassPathResource;
import org.springframework.util.unit.DataSize;

class CorralPropertiesTests {

    private static final String REMOTE = "corral.guard.remote.";
    private static final String VISION_REMOTE = "corral.guard.vision.remote.";

    private static CorralProperties bind(Map<String, String> settings) {
        return new Binder(
                        List.of(new MapConfigurationPropertySource(settings)),
                        null,
                        ApplicationConversionService.getSharedInstance())
                .bindOrCreate("corral", CorralProperties.class);
    }

    @Test
    void bindWhenNothingIsSetHasTheDefaults() throws UnknownHostException {
        assertThat(bind(Map.of()))
                .isEqualTo(new CorralProperties(
                        InetAddress.getByName("127.0.0.1"),
                        8080,
                        DataSize.ofMegabytes(8),
                        DataSize.ofMegabytes(8),
                        new CorralProperties.Stream(Duration.ofSeconds(15)),
                        null,
                        Map.of(),
                        null,
                        new CorralProperties.Models(List.of(), List.of()),
                        new CorralProperties.Policy(null, null),
                        new CorralProperties.Guard(
                                null,
                                NamedHazards.FIRST,
                                0,
                                0,
                                256,
                                DataSize.ofMegabytes(32),
                                DataSize.ofMegabytes(256),
                                Provider.CPU,
                                new CorralProperties.Vision(
                                        null,
                                        0,
                                        32,
                                        Duration.ofMinutes(5),
                                        DataSize.ofGigabytes(1),
                                        DataSize.ofMegabytes(256),
                                        null),
                                Map.of(),
                                null),
                        new CorralProperties.Images(16, DataSize.ofMegabytes(8), Duration.ofSeconds(10)),
                        new CorralProperties.Audit(
                                null, DataSize.ofMegabytes(100), 1024, CorralProperties.Audit.OnFailure.BLOCK),
                        new CorralProperties.Tenant(null)));
    }

    @Test
    void bindWhenEverythingIsSetTakesEveryKey() throws UnknownHostException {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("corral.address", "0.0.0.0");
        settings.put("corral.port", "9000");
        settings.put("corral.max-request-size", "1MB");
        settings.put("corral.max-answer-size", "2MB");
        settings.put("corral.stream.keep-alive", "4s");
        settings.put("corral.secrets-directory", "/run/secrets/corral");
        settings.put("corral.models.vision", "own-eyes-*,other-eyes");
        settings.put("corral.models.text", "own-words");
        settings.put("corral.policy.file", "/etc/corral/policy.yaml");
        settings.put("corral.policy.directory", "/etc/corral/policies");
        settings.put("corral.guard.directory", "/models/guard");
        settings.put("corral.guard.hazards", "all");
        settings.put("corral.guard.lanes", "5");
        settings.put("corral.guard.threads", "6");
        settings.put("corral.guard.queue", "7");
        settings.put("corral.guard.cache-size", "8MB");
        settings.put("corral.guard.prefix-cache-size", "9MB");
        settings.put("corral.guard.provider", "cuda");
        settings.put("corral.guard.vision.directory", "/models/vision");
        settings.put("corral.guard.vision.threads", "10");
        settings.put("corral.guard.vision.queue", "11");
        settings.put("corral.guard.vision.timeout", "12s");
        settings.put("corral.guard.vision.image-cache-size", "13MB");
        settings.put("corral.guard.vision.prefix-cache-size", "14MB");
        settings.put("corral.images.max-per-request", "10");
        settings.put("corral.images.max-size", "11MB");
        settings.put("corral.images.fetch-timeout", "12s");
        settings.put("corral.audit.file", "/var/log/corral/audit.jsonl");
        settings.put("corral.audit.max-file-size", "10MB");
        settings.put("corral.audit.queue", "11");
        settings.put("corral.audit.on-failure", "continue");
        settings.put("corral.tenant.header", "x-tenant");
        assertThat(settings.keySet())
                .containsExactlyElementsOf(KnownProperties.all().stream()
                        .filter(key -> !key.startsWith(REMOTE)
                                && !key.startsWith(VISION_REMOTE)
                                && !key.startsWith("corral.guard.visions.")
                                && !key.startsWith("corral.upstream"))
                        .toList());
        assertThat(bind(settings))
                .isEqualTo(new CorralProperties(
                        InetAddress.getByName("0.0.0.0"),
                        9000,
                        DataSize.ofMegabytes(1),
                        DataSize.ofMegabytes(2),
                        new CorralProperties.Stream(Duration.ofSeconds(4)),
                        null,
                        Map.of(),
                        Path.of("/run/secrets/corral"),
                        new CorralProperties.Models(List.of("own-eyes-*", "other-eyes"), List.of("own-words")),
                        new CorralProperties.Policy(
                                Path.of("/etc/corral/policy.yaml"), Path.of("/etc/corral/policies")),
                        new CorralProperties.Guard(
                                Path.of("/models/guard"),
                                NamedHazards.ALL,
                                5,
                                6,
                                7,
                                DataSize.ofMegabytes(8),
                                DataSize.ofMegabytes(9),
                                Provider.CUDA,
                                new CorralProperties.Vision(
                                        Path.of("/models/vision"),
                                        10,
                                        11,
                                        Duration.ofSeconds(12),
                                        DataSize.ofMegabytes(13),
                                        DataSize.ofMegabytes(14),
                                        null),
                                Map.of(),
                                null),
                        new CorralProperties.Images(10, DataSize.ofMegabytes(11), Duration.ofSeconds(12)),
                        new CorralProperties.Audit(
                                Path.of("/var/log/corral/audit.jsonl"),
                                DataSize.ofMegabytes(10),
                                11,
                                CorralProperties.Audit.OnFailure.CONTINUE),
                        new CorralProperties.Tenant("x-tenant")));
    }

    @Test
    void bindWhenNoUpstreamIsSetIsOllamaOnThisMachine() {
        CorralProperties properties = bind(Map.of("corral.upstream.max-connections", "7"));
        assertThat(bind(Map.of()).backends()).containsOnlyKeys("upstream");
        assertThat(properties.backends().get("upstream"))
                .isEqualTo(new CorralProperties.Upstream(
                        "ollama",
                        null,
                        null,
                        Map.of(),
                        List.of("*"),
                        1,
                        null,
                        null,
                        null,
                        4096,
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(60),
                        7,
                        new CorralProperties.Breaker(20, 50, Duration.ofSeconds(10), 3)));
        assertThat(bind(Map.of()).backends())
                .isEqualTo(
                        bind(Map.of("corral.upstream.max-connections", "500")).backends());
        assertThat(properties.keyOf("upstream")).isEqualTo("corral.upstream");
    }

    private static Map<String, String> upstream(String key) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put(key + "preset", "bedrock");
        settings.put(key + "url", "https://api.example.com/openai/v1");
        settings.put(key + "dialect", "anthropic");
        settings.put(key + "values.region", "us-east-1");
        settings.put(key + "models", "llama-3.2-*,llama-4-scout");
        settings.put(key + "weight", "3");
        settings.put(key + "api-key", "sk-123");
        settings.put(key + "api-key-file", "/run/secrets/key");
        settings.put(key + "client-credentials", "drop");
        settings.put(key + "max-tokens", "9");
        settings.put(key + "connect-timeout", "1s");
        settings.put(key + "response-timeout", "2s");
        settings.put(key + "idle-timeout", "3s");
        settings.put(key + "max-connections", "4");
        settings.put(key + "breaker.requests", "5");
        settings.put(key + "breaker.failure-rate", "60");
        settings.put(key + "breaker.pause", "7s");
        settings.put(key + "breaker.probes", "8");
        return settings;
    }

    @Test
    void bindWhenAnUpstreamIsSetTakesEveryKey() {
        assertThat(upstream("corral.upstream.").keySet().stream()
                        .map(key -> key.replace("values.region", "values.*"))
                        .toList())
                .containsExactlyElementsOf(KnownProperties.all().stream()
                        .filter(key -> key.startsWith("corral.upstream."))
                        .toList());
        for (String key : List.of("corral.upstream.", "corral.upstreams.my-own.")) {
            Map<String, String> settings = upstream(key);
            settings.remove(key + "api-key");
            CorralProperties properties = bind(settings);
            assertThat(properties.backends().values())
                    .containsExactly(new CorralProperties.Upstream(
                            "bedrock",
                            URI.create("https://api.example.com/openai/v1"),
                            ChatApi.ANTHROPIC,
                            Map.of("region", "us-east-1"),
                            List.of("llama-3.2-*", "llama-4-scout"),
                            3,
                            null,
                            Path.of("/run/secrets/key"),
                            CorralProperties.ClientCredentials.DROP,
                            9,
                            Duration.ofSeconds(1),
                            Duration.ofSeconds(2),
                            Duration.ofSeconds(3),
                            4,
                            new CorralProperties.Breaker(5, 60, Duration.ofSeconds(7), 8)));
            assertThat(properties.keyOf(
                                    properties.backends().keySet().iterator().next())
                            + ".")
                    .isEqualTo(key);
        }
    }

    @Test
    void bindWhenAnUpstreamHasAKeyNeverShowsIt() {
        assertThat(bind(Map.of("corral.upstreams.a.api-key", "sk-123", "corral.upstreams.a.preset", "groq")))
                .asString()
                .contains("apiKey=***")
                .doesNotContain("sk-123");
    }

    @Test
    void bindWhenUpstreamsAreInTheEnvironmentTakesThem() {
        Map<String, Object> environment = Map.of(
                "CORRAL_UPSTREAMS_LOCAL_URL", "http://localhost:8000/v1",
                "CORRAL_UPSTREAMS_LOCAL_API_KEY", "sk-123",
                "CORRAL_UPSTREAMS_LOCAL_MODELS", "llama-*,other",
                "CORRAL_UPSTREAMS_LOCAL_BREAKER_FAILURE_RATE", "70");
        CorralProperties.Upstream upstream = new Binder(
                        ConfigurationPropertySources.from(
                                new SystemEnvironmentPropertySource("systemEnvironment", environment)),
                        null,
                        ApplicationConversionService.getSharedInstance())
                .bindOrCreate("corral", CorralProperties.class)
                .backends()
                .get("local");
        assertThat(upstream).isNotNull();
        assertThat(upstream.apiKey()).isNotNull();
        assertThat(upstream.models()).containsExactly("llama-*", "other");
        assertThat(upstream.breaker().failureRate()).isEqualTo(70);
    }

    @ParameterizedTest
    @CsvSource({
        "corral.upstream.url, http://localhost:1/v1, corral.upstream must be left out where there are corral.upstreams",
        "corral.upstreams.Two.url, http://localhost:1/v1, a small letter",
        "corral.upstreams.2.url, http://localhost:1/v1, a small letter",
        "corral.upstreams.by-model.url, http://localhost:1/v1, not 'by-model'"
    })
    void bindWhenUpstreamsAreNamedWrongSaysSo(String key, String value, String rule) {
        assertThatExceptionOfType(BindException.class)
                .isThrownBy(() -> bind(Map.of("corral.upstreams.one.preset", "ollama", key, value)))
                .withStackTraceContaining(rule);
    }

    private static Map<String, String> remote() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put(REMOTE + "url", "http://localhost:8000/v1");
        settings.put(REMOTE + "model", "meta-llama/Llama-Guard-3-1B");
        settings.put(REMOTE + "api", "completions");
        return settings;
    }

    @Test
    void bindWhenAServersGuardIsSetHasTheDefaults() {
        assertThat(bind(remote()).guard().remote())
                .isEqualTo(new CorralProperties.Remote(
                        URI.create("http://localhost:8000/v1"),
                        "meta-llama/Llama-Guard-3-1B",
                        Api.COMPLETIONS,
                        "llama-guard-3",
                        null,
                        null,
                        null,
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(30),
                        16,
                        8192,
                        20,
                        0.5));
    }

    @Test
    void bindWhenAServersGuardForImagesIsSetTakesEveryKey() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put(VISION_REMOTE + "url", "http://localhost:8000/v1");
        settings.put(VISION_REMOTE + "model", "meta-llama/Llama-Guard-4-12B");
        settings.put(VISION_REMOTE + "family", "llama-guard-3-8b");
        settings.put(VISION_REMOTE + "api-key", "sk-123");
        settings.put(VISION_REMOTE + "api-key-file", "/run/secrets/key");
        settings.put(VISION_REMOTE + "connect-timeout", "1s");
        settings.put(VISION_REMOTE + "connections", "5");
        settings.put(VISION_REMOTE + "context-tokens", "4096");
        settings.put(VISION_REMOTE + "top-logprobs", "6");
        settings.put(VISION_REMOTE + "threshold", "0.3");
        assertThat(settings.keySet())
                .containsExactlyElementsOf(KnownProperties.all().stream()
                        .filter(key -> key.startsWith(VISION_REMOTE))
                        .toList());
        settings.remove(VISION_REMOTE + "api-key");
        assertThat(bind(settings).guard().vision().remote())
                .isEqualTo(new CorralProperties.VisionRemote(
                        URI.create("http://localhost:8000/v1"),
                        "meta-llama/Llama-Guard-4-12B",
                        "llama-guard-3-8b",
                        null,
                        Path.of("/run/secrets/key"),
                        Duration.ofSeconds(1),
                        5,
                        4096,
                        6,
                        0.3));
    }

    @ParameterizedTest
    @CsvSource({
        "threads, -1, between 0 and 1024",
        "queue, 0, at least 1",
        "timeout, 0s, longer than 0",
        "remote.url, ftp://x, an address such as",
        "remote.threshold, 0, above 0"
    })
    void bindWhenASettingForImagesIsWrongSaysHowItMustBe(String key, String value, String rule) {
        Map<String, String> settings = new LinkedHashMap<>();
        if (key.startsWith("remote.")) {
            settings.put(VISION_REMOTE + "url", "http://localhost:8000/v1");
            settings.put(VISION_REMOTE + "model", "m");
        }
        settings.put("corral.guard.vision." + key, value);
        assertThatExceptionOfType(BindException.class)
                .isThrownBy(() -> bind(settings))
                .withStackTraceContaining("corral.guard.vision." + key + " must be " + rule);
    }

    @Test
    void bindWhenThereAreFurtherGuardsForImagesHasTheKeysOfTheFirst() {
        assertThat(KnownProperties.all().stream()
                        .filter(key -> key.startsWith("corral.guard.visions."))
                        .map(key -> key.replace("corral.guard.visions.*.", "corral.guard.vision.")))
                .containsExactlyElementsOf(KnownProperties.all().stream()
                        .filter(key -> key.startsWith("corral.guard.vision."))
                        .toList());
        assertThat(bind(Map.of(
                                "corral.guard.visions.here.directory", "/models/vision",
                                "corral.guard.visions.there.remote.url", "http://localhost:8000/v1",
                                "corral.guard.visions.there.remote.model", "m"))
                        .guard()
                        .visions())
                .containsOnlyKeys("here", "there");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            corral.guard.visions.Here.directory | /m  | the name of a guard for images must be a small letter, then
            corral.guard.visions.here.threads   | 2   | corral.guard.visions.here must be a guard, by its directory or remote
            corral.guard.visions.here.remote.url | x:y | corral.guard.visions.here.remote.url must be an address
            """)
    void bindWhenAFurtherGuardForImagesIsWrongSaysWhich(String key, String value, String message) {
        assertThatExceptionOfType(BindException.class)
                .isThrownBy(() -> bind(Map.of(key, value)))
                .withStackTraceContaining(message);
    }

    @Test
    void bindWhenAServersGuardIsSetTakesEveryKey() {
        Map<String, String> settings = remote();
        settings.put(REMOTE + "family", "llama-guard-3-8b");
        settings.put(REMOTE + "hazards-file", "/etc/corral/hazards.yaml");
        settings.put(REMOTE + "api-key", "sk-123");
        settings.put(REMOTE + "api-key-file", "/run/secrets/key");
        settings.put(REMOTE + "connect-timeout", "1s");
        settings.put(REMOTE + "timeout", "3s");
        settings.put(REMOTE + "connections", "4");
        settings.put(REMOTE + "context-tokens", "4096");
        settings.put(REMOTE + "top-logprobs", "5");
        settings.put(REMOTE + "threshold", "0.3");
        assertThat(settings.keySet())
                .containsExactlyElementsOf(KnownProperties.all().stream()
                        .filter(key -> key.startsWith(REMOTE))
                        .toList());
        settings.remove(REMOTE + "api-key");
        assertThat(bind(settings).guard().remote())
                .isEqualTo(new CorralProperties.Remote(
                        URI.create("http://localhost:8000/v1"),
                        "meta-llama/Llama-Guard-3-1B",
                        Api.COMPLETIONS,
                        "llama-guard-3-8b",
                        Path.of("/etc/corral/hazards.yaml"),
                        null,
                        Path.of("/run/secrets/key"),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(3),
                        4,
                        4096,
                        5,
                        0.3));
    }

    @Test
    void bindWhenThereIsAKeyNeverShowsIt() {
        Map<String, String> settings = remote();
        settings.put(REMOTE + "api-key", "sk-123");
        assertThat(bind(settings)).asString().contains("apiKey=***").doesNotContain("sk-123");
    }

    @Test
    void bindWhenTheKeyIsInTheEnvironmentTakesIt() {
        Map<String, Object> environment = Map.of(
                "CORRAL_GUARD_REMOTE_URL", "http://localhost:8000/v1",
                "CORRAL_GUARD_REMOTE_MODEL", "m",
                "CORRAL_GUARD_REMOTE_API", "chat",
                "CORRAL_GUARD_REMOTE_API_KEY", "sk-123",
                "CORRAL_GUARD_REMOTE_TOP_LOGPROBS", "5");
        CorralProperties.Remote remote = new Binder(
                        ConfigurationPropertySources.from(
                                new SystemEnvironmentPropertySource("systemEnvironment", environment)),
                        null,
                        ApplicationConversionService.getSharedInstance())
                .bindOrCreate("corral", CorralProperties.class)
                .guard()
                .remote();
        assertThat(remote).isNotNull();
        assertThat(remote.apiKey()).isNotNull();
        assertThat(remote.api()).isEqualTo(Api.CHAT);
        assertThat(remote.topLogprobs()).isEqualTo(5);
    }

    @ParameterizedTest
    @CsvSource({
        "url, ftp://localhost/v1, http://localhost:11434/v1",
        "url, http://user:secret@localhost/v1, without user",
        "model, '', the name that the server knows the guard by",
        "api, '', 'completions (vLLM, llama.cpp) or chat (Ollama, TGI, any other)'",
        "connect-timeout, 0s, longer than 0",
        "timeout, 48h, shorter than a day",
        "connections, 0, between 1 and 1024",
        "context-tokens, 0, at least 1",
        "top-logprobs, 101, between 0 and 100",
        "threshold, 0, above 0 and at most 1"
    })
    void bindWhenAValueOfAServersGuardIsWrongSaysKeyRuleAndValue(String key, String value, String rule) {
        Map<String, String> settings = remote();
        settings.put(REMOTE + key, value);
        assertThatExceptionOfType(BindException.class)
                .isThrownBy(() -> bind(settings))
                .withStackTraceContaining(REMOTE + key + " must be")
                .withStackTraceContaining(rule);
    }

    @ParameterizedTest
    @CsvSource({
        "corral.guard.directory, /models/guard, there is one guard",
        "corral.guard.lanes, 2, its connections are the lanes",
        "corral.guard.threads, 2, its connections are the lanes",
        "corral.guard.remote.api-key-file, /run/key, left out where corral.guard.remote.api-key is set"
    })
    void bindWhenASettingWouldBeIgnoredBesideAServersGuardSaysSo(String key, String value, String rule) {
        Map<String, String> settings = remote();
        settings.put(REMOTE + "api-key", "sk-123");
        settings.put(key, value);
        assertThatExceptionOfType(BindException.class)
                .isThrownBy(() -> bind(settings))
                .withStackTraceContaining(key + " must be left out where")
                .withStackTraceContaining(rule);
    }

    @ParameterizedTest
    @CsvSource({
        "corral.port, 70000, between 0 and 65535",
        "corral.max-request-size, 0B, between 1B and 1GB",
        "corral.max-answer-size, 2GB, between 1B and 1GB",
        "corral.upstream.url, ftp://localhost/v1, http://localhost:11434/v1",
        "corral.upstream.url, localhost:11434, http://localhost:11434/v1",
        "corral.upstream.url, http://user:secret@localhost/v1, without user",
        "corral.upstream.connect-timeout, 0s, longer than 0",
        "corral.upstream.response-timeout, -1s, longer than 0",
        "corral.upstream.idle-timeout, 48h, shorter than a day",
        "corral.upstream.max-connections, 0, at least 1",
        "corral.upstream.models, ' ', names of models",
        "corral.upstream.weight, -1, between 0 and 1000",
        "corral.upstream.max-tokens, 0, at least 1",
        "corral.upstream.breaker.requests, 0, between 1 and 10000",
        "corral.upstream.breaker.failure-rate, 101, between 1 and 100",
        "corral.upstream.breaker.pause, 0s, longer than 0",
        "corral.upstream.breaker.probes, 0, between 1 and 1000",
        "corral.upstreams.a.url, localhost:11434, http://localhost:11434/v1",
        "corral.upstreams.a.breaker.probes, 0, between 1 and 1000",
        "corral.guard.lanes, -1, between 0 and 1024",
        "corral.guard.threads, 5000, between 0 and 1024",
        "corral.guard.queue, 0, at least 1",
        "corral.guard.cache-size, -1MB, 0 or more",
        "corral.guard.prefix-cache-size, -1MB, 0 or more"
    })
    void bindWhenAValueIsOutOfRangeSaysKeyRuleAndValue(String key, String value, String rule) {
        assertThatExceptionOfType(BindException.class)
                .isThrownBy(() -> bind(Map.of(key, value)))
                .withStackTraceContaining(key + " must be")
                .withStackTraceContaining(rule);
    }

    /** The framework's file repeats defaults where it hands settings on to Spring Cloud Gateway. */
    @Test
    void applicationYamlWhenItNamesADefaultNamesTheSame() throws Exception {
        PropertySource<?> yaml = new YamlPropertySourceLoader()
                .load("application", new ClassPathResource("application.yaml"))
                .getFirst();
        String client = "spring.cloud.gateway.server.webflux.httpclient.";
        assertThat(yaml.getProperty(client + "response-timeout"))
                .hasToString("${corral.upstream.response-timeout:60s}");
        assertThat(yaml.getProperty(client + "pool.max-connections"))
                .hasToString("${corral.upstream.max-connections:500}");
        assertThat(yaml.getProperty("server.address")).hasToString("${corral.address:127.0.0.1}");
        assertThat(yaml.getProperty("server.port")).hasToString("${corral.port:8080}");
    }
}
