package dev.corral.gateway;

import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.client.WireMock.okJson;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static com.github.tomakehurst.wiremock.client.WireMock.postRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.serverError;
import static com.github.tomakehurst.wiremock.client.WireMock.urlEqualTo;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.options;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.MappingBuilder;
import com.github.tomakehurst.wiremock.client.WireMock;
import com.github.tomakehurst.wiremock.stubbing.Scenario;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.diagnostics.FailureAnalyzedException;
import reactor.core.publisher.Mono;

/** Guards for images on servers: which one a policy uses, and what it does without a verdict. */
@ExtendWith(LeakCheck.class)
class RemoteVisionTests {

    private static final String IMAGE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
            + "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    private static final String CHAT = "/v1/chat/completions";

    private static final ScriptedGuard guard = new ScriptedGuard();
    private static final ScriptedUpstream upstream = new ScriptedUpstream();
    /** Never answers. */
    private static final ScriptedUpstream silent = new ScriptedUpstream();

    private static final WireMockServer first = server();
    private static final WireMockServer second = server();
    private static TestGateway gateway;

    private static WireMockServer server() {
        return new WireMockServer(options().dynamicPort().bindAddress("127.0.0.1"));
    }

    @BeforeAll
    static void start(@TempDir Path policies) throws IOException {
        first.start();
        second.start();
        silent.answer((_, _) -> Mono.never());
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("corral.upstream.url", upstream.url());
        settings.put("corral.guard.cache-size", "0B"); // so that each request is judged
        remote(settings, "corral.guard.vision", first.baseUrl() + "/v1");
        remote(settings, "corral.guard.visions.second", second.baseUrl() + "/v1");
        remote(settings, "corral.guard.visions.silent", silent.url());
        settings.put("corral.policy.directory", policies.toString());
        for (String use : List.of("second", "first-eyes")) {
            route(settings, policies, "uses-" + use, "{ use: " + use + " }");
        }
        for (String outcome : List.of("error", "block", "flag", "allow")) {
            route(
                    settings,
                    policies,
                    "late-" + outcome,
                    "{ use: silent, timeout: 200ms, unavailable: " + outcome + " }");
            route(settings, policies, "wrong-" + outcome, "{ unavailable: " + outcome + " }");
        }
        gateway = TestGateway.start(guard, settings);
    }

    private static void remote(Map<String, String> settings, String key, String url) {
        settings.put(key + ".remote.url", url);
        settings.put(key + ".remote.model", "first eyes");
    }

    /** Requests below the policy's name are under it. */
    private static void route(Map<String, String> settings, Path folder, String name, String vision)
            throws IOException {
        Files.writeString(
                folder.resolve(name + ".yaml"),
                "policy: " + name + "\nversion: 1\nguards: { vision: " + vision + " }\n");
        String route = "spring.cloud.gateway.server.webflux.routes["
                + settings.keySet().stream().filter(key -> key.endsWith(".id")).count()
                + "].";
        settings.put(route + "id", name);
        settings.put(route + "uri", upstream.url().replace("/v1", ""));
        settings.put(route + "predicates[0]", "Path=/" + name + "/**");
        settings.put(route + "filters[0]", "Moderate=" + name);
        settings.put(route + "filters[1]", "StripPrefix=1");
    }

    @AfterAll
    static void stop() {
        gateway.close();
        upstream.close();
        silent.close();
        first.stop();
        second.stop();
    }

    @BeforeEach
    void reset() {
        upstream.reset();
        upstream.says("Fine.");
        says(first, "safe");
        says(second, "safe");
    }

    private static void says(WireMockServer server, String verdict) {
        server.resetAll();
        server.stubFor(verdict(verdict));
    }

    private static MappingBuilder verdict(String verdict) {
        return post(urlEqualTo(CHAT)).willReturn(okJson("""
                {"choices":[{"message":{"role":"assistant","content":"%s"}}]}""".formatted(verdict)));
    }

    private static String picture() {
        return "{\"type\":\"image_url\",\"image_url\":{\"url\":\"" + IMAGE + "\"}}";
    }

    private static HttpResponse<String> ask(String policy, String content) {
        return gateway.send(gateway.request("/" + policy + CHAT)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":["
                        + content + ",{\"type\":\"text\",\"text\":\"What is it?\"}]}]}")));
    }

    @Test
    void chatWhenPolicyNamesAGuardAsksThatOne() {
        says(second, "unsafe\\nS9");

        assertThat(ask("uses-second", picture()).body()).contains("content_filter");
        assertThat(upstream.received).isEmpty();
        first.verify(0, postRequestedFor(anyUrl()));
        second.verify(
                1, postRequestedFor(urlEqualTo(CHAT)).withRequestBody(WireMock.containing("data:image/png;base64,")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"uses-first-eyes", "wrong-error"})
    void chatWhenPolicyNamesNoneOrTheFirstByItsIdentifierAsksTheFirst(String policy) {
        says(second, "unsafe\\nS9");

        assertThat(ask(policy, picture()).body()).contains("Fine.");
        // about the question, and about the answer
        first.verify(2, postRequestedFor(urlEqualTo(CHAT)));
        second.verify(0, postRequestedFor(anyUrl()));
    }

    @Test
    void chatWhenThereIsNoImageAsksNone() {
        assertThat(ask("uses-second", "{\"type\":\"text\",\"text\":\"Hello.\"}").body())
                .contains("Fine.");
        first.verify(0, postRequestedFor(anyUrl()));
        second.verify(0, postRequestedFor(anyUrl()));
    }

    @ParameterizedTest
    @CsvSource({
        "late-error, 503, guard_unavailable, ",
        "late-block, 200, content_filter, block",
        "late-flag, 200, Fine., flag",
        "late-allow, 200, Fine., allow",
        "wrong-error, 503, guard_unavailable, ",
        "wrong-block, 200, content_filter, block",
        "wrong-flag, 200, Fine., flag",
        "wrong-allow, 200, Fine., allow"
    })
    void chatWhenGuardIsLateOrMakesNoSenseDoesWhatThePolicySays(
            String policy, int status, String body, String decision) {
        says(first, "I would rather not say.");

        HttpResponse<String> answer = ask(policy, picture());

        assertThat(answer.statusCode()).isEqualTo(status);
        assertThat(answer.body()).contains(body);
        if (decision != null) {
            assertThat(answer.headers().firstValue("x-corral-decision")).contains(decision);
        }
    }

    @Test
    void chatWhenGuardsServerFailsDoesWhatThePolicySays() {
        first.resetAll();
        first.stubFor(post(anyUrl()).willReturn(serverError()));

        assertThat(ask("wrong-block", picture()).body()).contains("content_filter");
        assertThat(ask("wrong-error", picture()).statusCode()).isEqualTo(503);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void chatWhenOneImageIsHarmfulAndThereIsNoVerdictOnAnotherBlocks(boolean harmfulFirst) {
        says(first, "Hm.");
        first.stubFor(verdict("unsafe\\nS9")
                .inScenario("images")
                .whenScenarioStateIs(harmfulFirst ? Scenario.STARTED : "second")
                .willSetStateTo("done"));
        if (!harmfulFirst) {
            first.stubFor(verdict("Hm.")
                    .inScenario("images")
                    .whenScenarioStateIs(Scenario.STARTED)
                    .willSetStateTo("second"));
        }

        assertThat(ask("wrong-allow", picture() + "," + picture()).body()).contains("content_filter");
        first.verify(2, postRequestedFor(urlEqualTo(CHAT)));
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void chatWhenThereIsNoFileOfAnImageBlocksItWhateverTheGuardWouldSay() {
        assertThat(ask("late-allow", picture().replaceFirst("data:[^\"]*", "https://images.example/a.png"))
                        .body())
                .contains("content_filter", "the policy does not have images fetched");
    }

    @Test
    void chatWhenGuardForImagesIsLateButTheTextIsHarmfulBlocks() {
        assertThat(ask("late-allow", picture() + ",{\"type\":\"text\",\"text\":\"<S9>\"}")
                        .body())
                .contains("content_filter");
    }

    @Test
    void moderationsWhenAnImageIsHarmfulFlagsIt() {
        String body = "{\"input\":[{\"type\":\"text\",\"text\":\"Look.\"}," + picture() + "]}";

        assertThat(gateway.post("/v1/moderations", body).body())
                .contains("\"flagged\":false", "[\"text\",\"image\"]")
                .doesNotContain("unscanned");

        says(first, "unsafe\\nS9");
        assertThat(gateway.post("/v1/moderations", body).body()).contains("\"flagged\":true", "\"S9\":1.0");
    }

    @Test
    void moderationsWhenThereIsNoVerdictOnAnImageSaysSoUnlessTheTextIsHarmful() {
        says(first, "Hm.");

        assertThat(gateway.post("/v1/moderations", "{\"input\":[" + picture() + "]}")
                        .statusCode())
                .isEqualTo(503);
        assertThat(gateway.post(
                                "/v1/moderations",
                                "{\"input\":[{\"type\":\"text\",\"text\":\"<S9>\"}," + picture() + "]}")
                        .body())
                .contains("\"flagged\":true", "\"S9\":0.95");
    }

    @Test
    void runShieldWhenAnImageIsHarmfulReportsAViolation() {
        String body =
                "{\"shield_id\":\"llama-guard\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"image\":"
                        + "{\"url\":{\"uri\":\"" + IMAGE
                        + "\"}}}]},{\"role\":\"assistant\",\"content\":\"I see.\"}],\"params\":{}}";

        assertThat(gateway.post("/v1/safety/run-shield", body).body()).isEqualTo("{\"violation\":null}");

        says(first, "unsafe\\nS9");
        assertThat(gateway.post("/v1/safety/run-shield", body).body()).contains("\"violation_type\":\"S9\"");
    }

    @Test
    void guardrailWhenAnImageIsHarmfulBlocks() {
        String body = "{\"input_type\":\"request\",\"texts\":[\"Look.\"],\"images\":[\"" + IMAGE + "\"]}";

        assertThat(gateway.post("/beta/litellm_basic_guardrail_api", body).body())
                .isEqualTo("{\"action\":\"NONE\"}");

        says(first, "unsafe\\nS9");
        assertThat(gateway.post("/beta/litellm_basic_guardrail_api", body).body())
                .contains("BLOCKED");
    }

    @Test
    void startWhenPolicyUsesAGuardThatThereIsNotStops(@TempDir Path folder) throws IOException {
        Path policy = Files.writeString(
                folder.resolve("p.yaml"), "policy: p\nversion: 1\nguards: { vision: { use: secnd } }\n");
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("corral.upstream.url", upstream.url());
        settings.put("corral.policy.file", policy.toString());
        remote(settings, "corral.guard.visions.second", second.baseUrl() + "/v1");

        assertThatExceptionOfType(Exception.class)
                .isThrownBy(() -> TestGateway.start(guard, settings))
                .withStackTraceContaining("the gateway has no guard for images 'secnd'; it has second")
                .withStackTraceContaining(FailureAnalyzedException.class.getName());
    }
}
