package dev.corral.gateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.corral.gateway.configuration.CorralProperties;
import dev.corral.gateway.configuration.CorralProperties.ClientCredentials;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.guardmodels.remote.ApiKey;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;
import org.springframework.boot.convert.ApplicationConversionService;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.http.HttpHeaders;
import reactor.netty.http.client.HttpClient;

class UpstreamsTests {

    private static final int DRAWS = 10_000;

    private static Upstream upstream(String name, int weight, String... models) {
        return upstream(
                name, "openai", "http://localhost:1/v1", weight, Optional.empty(), ClientCredentials.DROP, models);
    }

    private static Upstream upstream(
            String name,
            String preset,
            String base,
            int weight,
            Optional<Credential> credential,
            ClientCredentials clients,
            String... models) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("corral.upstream.weight", Integer.toString(weight));
        settings.put("corral.upstream.models", String.join(",", models));
        CorralProperties properties = new Binder(
                        List.of(new MapConfigurationPropertySource(settings)),
                        null,
                        ApplicationConversionService.getSharedInstance())
                .bind("corral", CorralProperties.class)
                .get();
        return new Upstream(
                name,
                "corral.upstreams." + name,
                Preset.named(preset).orElseThrow(),
                URI.create(base),
                properties.backends().get(CorralProperties.ONLY_UPSTREAM),
                credential,
                clients,
                HttpClient.create(),
                CircuitBreaker.ofDefaults(name));
    }

    private static Upstreams of(long seed, Upstream... all) {
        return new Upstreams(List.of(all), new Random(seed)::nextDouble);
    }

    private static List<String> names(List<Upstream> upstreams) {
        return upstreams.stream().map(Upstream::name).toList();
    }

    @ParameterizedTest
    @CsvSource({
        "llama-3.2-3b, small",
        "LLAMA-3.2-1B, small",
        "llama-3.2-90b, exact",
        "llama-4-scout, llamas",
        "mixtral, rest",
        "'', rest"
    })
    void servingWhenSeveralPatternsMatchTakesTheMostExact(String model, String expected) {
        try (Upstreams upstreams = of(
                1,
                upstream("rest", 1, "*"),
                upstream("llamas", 1, "llama-*"),
                upstream("small", 1, "llama-3.2-*"),
                upstream("exact", 1, "llama-3.2-90b"))) {
            assertThat(names(upstreams.serving(CorralProperties.BY_MODEL, model)))
                    .containsExactly(expected);
        }
    }

    @Test
    void servingWhenNobodyServesTheModelIsNotFound() {
        try (Upstreams upstreams = of(1, upstream("llamas", 1, "llama-*"))) {
            assertThatExceptionOfType(DialectException.class)
                    .isThrownBy(() -> upstreams.serving(CorralProperties.BY_MODEL, "mixtral"))
                    .satisfies(failure -> {
                        assertThat(failure.error().status()).isEqualTo(404);
                        assertThat(failure.error().code()).isEqualTo("model_not_found");
                        assertThat(failure.error().message()).contains("'mixtral'");
                    });
            assertThat(names(upstreams.serving("llamas", "mixtral"))).containsExactly("llamas");
        }
    }

    private static Map<String, Integer> firsts(Upstreams upstreams) {
        Map<String, Integer> firsts = new HashMap<>();
        IntStream.range(0, DRAWS)
                .forEach(_ -> firsts.merge(
                        upstreams
                                .drawn(upstreams.serving(CorralProperties.BY_MODEL, "m"))
                                .getFirst()
                                .name(),
                        1,
                        Integer::sum));
        return firsts;
    }

    @Test
    void drawnWhenWeightsDifferSharesByThemAndTheSameForTheSameSeed() {
        Upstream[] all = {upstream("a", 1, "*"), upstream("b", 3, "*"), upstream("spare", 0, "*")};
        try (Upstreams one = of(42, all);
                Upstreams other = of(42, all)) {
            Map<String, Integer> firsts = firsts(one);
            assertThat(firsts).containsOnlyKeys("a", "b").isEqualTo(firsts(other));
            // three standard deviations of the share of 10,000 draws
            assertThat(firsts.get("b") / (double) DRAWS).isCloseTo(0.75, within(0.013));
        }
    }

    @Test
    void drawnWhenItIsWholeHasEachOnceAndThoseWithoutWeightLast() {
        try (Upstreams upstreams =
                of(7, upstream("s1", 0, "*"), upstream("a", 5, "*"), upstream("s2", 0, "*"), upstream("b", 1, "*"))) {
            for (int i = 0; i < 100; i++) {
                List<String> order = names(upstreams.drawn(upstreams.all()));
                assertThat(order).hasSize(4).endsWith("s1", "s2");
                assertThat(order.subList(0, 2)).containsExactlyInAnyOrder("a", "b");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "openai, http://h:1/v1, /v1/chat/completions, http://h:1/v1/chat/completions",
        "openai, http://h:1/v1/, /v1/models, http://h:1/v1/models",
        "openai, http://h:1, /v1/chat/completions, http://h:1/chat/completions",
        "openai, https://h/api/v1/$x, /v1/a, https://h/api/v1/$x/a",
        "openai, http://h:1/v1, /v1/a%2Fb, http://h:1/v1/a%2Fb",
        "openai, http://h:1/v1, /api/chat, http://h:1/api/chat",
        "openai, http://h:1/v1, /v10/chat, ",
        "ollama, http://h:1/v1, /api/chat, http://h:1/api/chat",
        "ollama, http://h:1/behind/v1, /api/chat, http://h:1/behind/api/chat",
        "llama-stack, http://h:1/v1, /v1/openai/v1/chat/completions, http://h:1/v1/chat/completions",
        "llama-stack, http://h:1/v1, /v1/openai/v1, http://h:1/v1",
        "llama-stack, http://h:1/v1, /v1/openai/v2, http://h:1/v1/openai/v2",
        "groq, https://api.groq.com/openai/v1, /v1/chat/completions, https://api.groq.com/openai/v1/chat/completions"
    })
    void targetWhenAPathIsServedIsWhereItIsThere(String preset, String base, String path, String target) {
        Upstream upstream = upstream("x", preset, base, 1, Optional.empty(), ClientCredentials.DROP, "*");
        assertThat(upstream.target(path, null).map(URI::toString)).isEqualTo(Optional.ofNullable(target));
        assertThat(upstream.target(path, "a=%20b").map(URI::getRawQuery))
                .isEqualTo(target == null ? Optional.empty() : Optional.of("a=%20b"));
    }

    private static HttpHeaders clients() {
        HttpHeaders headers = new HttpHeaders();
        headers.set("Authorization", "Bearer clients");
        headers.set("api-key", "clients");
        headers.set("X-Api-Key", "clients");
        headers.set("Cookie", "session=clients");
        headers.set("X-Request-Id", "7");
        return headers;
    }

    @Test
    void introduceWhenThereIsAKeyShowsThatKeyAndNothingOfTheClients() {
        HttpHeaders headers = clients();
        upstream(
                        "x",
                        "openai",
                        "http://h/v1",
                        1,
                        Optional.of(Credential.of(ApiKey.of("sk-own"), "test")),
                        ClientCredentials.DROP,
                        "*")
                .introduce(headers);
        assertThat(headers.headerNames()).containsExactlyInAnyOrder("X-Request-Id", "Authorization");
        assertThat(headers.get("Authorization")).containsExactly("Bearer sk-own");
    }

    @Test
    void introduceWhenThePresetWantsAnotherHeaderUsesIt() {
        HttpHeaders headers = clients();
        upstream(
                        "x",
                        "azure-ai",
                        "https://h/v1",
                        1,
                        Optional.of(Credential.of(ApiKey.of("sk-own"), "test")),
                        ClientCredentials.DROP,
                        "*")
                .introduce(headers);
        assertThat(headers.get("api-key")).containsExactly("sk-own");
        assertThat(headers.get("Authorization")).isNull();
    }

    @Test
    void introduceTranslatedWhenTheClientsKeyMayPassShowsItAsTheUpstreamsApiWantsIt() {
        HttpHeaders ofOpenAi = new HttpHeaders();
        ofOpenAi.set("Authorization", "Bearer sk-clients");
        upstream("x", "anthropic", "http://h/v1", 1, Optional.empty(), ClientCredentials.PASS, "*")
                .introduceTranslated(ofOpenAi);
        assertThat(ofOpenAi.headerNames()).containsExactly("x-api-key");
        assertThat(ofOpenAi.get("x-api-key")).containsExactly("sk-clients");

        HttpHeaders ofAnthropic = new HttpHeaders();
        ofAnthropic.set("x-api-key", "sk-clients");
        upstream("x", "openai", "http://h/v1", 1, Optional.empty(), ClientCredentials.PASS, "*")
                .introduceTranslated(ofAnthropic);
        assertThat(ofAnthropic.headerNames()).containsExactly("Authorization");
        assertThat(ofAnthropic.get("Authorization")).containsExactly("Bearer sk-clients");

        HttpHeaders dropped = clients();
        upstream("x", "openai", "http://h/v1", 1, Optional.empty(), ClientCredentials.DROP, "*")
                .introduceTranslated(dropped);
        assertThat(dropped.headerNames()).containsExactly("X-Request-Id");
    }

    @Test
    void introduceWhenThereIsNoKeyPassesTheClientsOnlyWhereItMay() {
        HttpHeaders passed = clients();
        upstream("x", "openai", "http://h/v1", 1, Optional.empty(), ClientCredentials.PASS, "*")
                .introduce(passed);
        assertThat(passed).isEqualTo(clients());
        HttpHeaders dropped = clients();
        upstream("x", "openai", "http://h/v1", 1, Optional.empty(), ClientCredentials.DROP, "*")
                .introduce(dropped);
        assertThat(dropped.headerNames()).containsExactly("X-Request-Id");
    }

    @Test
    @ExtendWith(OutputCaptureExtension.class)
    void lookWhenTheFileOfAKeyChangesUsesTheNewOneAndKeepsTheOldForABadOne(@TempDir Path folder, CapturedOutput output)
            throws IOException {
        Path file = Files.writeString(folder.resolve("key"), "sk-1\n");
        Credential credential = Credential.in(file, "corral.upstreams.x.api-key-file");
        assertThat(credential.header("Bearer")).isEqualTo("Bearer sk-1");
        Files.writeString(file, "sk-2");
        credential.look();
        assertThat(credential.header("")).isEqualTo("sk-2");
        for (String bad : List.of("", "sk-3\nsk-4", "schlüssel")) {
            Files.writeString(file, bad);
            credential.look();
        }
        Files.delete(file);
        credential.look();
        assertThat(credential.header("")).isEqualTo("sk-2");
        assertThat(output).contains("corral.upstreams.x.api-key-file", "NoSuchFileException");
        assertThat(output.getAll() + credential).doesNotContain("sk-").doesNotContain("schl");
    }
}
