package dev.corral.gateway.server;

import static com.github.tomakehurst.wiremock.client.WireMock.equalTo;
import static com.github.tomakehurst.wiremock.client.WireMock.okJson;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static com.github.tomakehurst.wiremock.client.WireMock.postRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.urlEqualTo;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.options;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.github.tomakehurst.wiremock.WireMockServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;

/** Gateways whose guard is on a server. */
@ExtendWith(OutputCaptureExtension.class)
class RemoteGuardStartTests {

    private final WireMockServer server =
            new WireMockServer(options().dynamicPort().bindAddress("127.0.0.1"));

    @TempDir
    private Path folder;

    @BeforeEach
    void start() {
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop();
    }

    private Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("corral.port", "0");
        settings.put("corral.guard.remote.url", server.baseUrl() + "/v1");
        settings.put("corral.guard.remote.model", "llama-guard3:1b");
        settings.put("corral.guard.remote.api", "chat");
        return settings;
    }

    private static String moderate(ConfigurableApplicationContext gateway) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(
                            URI.create("http://127.0.0.1:" + GatewayServer.port(gateway) + "/v1/moderations"))
                    .POST(BodyPublishers.ofString("{\"input\": \"Hello\"}"))
                    .build();
            return client.send(request, BodyHandlers.ofString()).body();
        }
    }

    @Test
    void startWhenGuardIsRemoteAsksItAndSaysWhoJudges(CapturedOutput output) throws Exception {
        Path key = Files.writeString(folder.resolve("key"), "sk-123\n");
        server.stubFor(post(urlEqualTo("/v1/chat/completions")).willReturn(okJson("""
                {"choices": [{"message": {"content": "unsafe\\nS9"}}]}""")));
        Map<String, String> settings = settings();
        settings.put("corral.guard.remote.api-key-file", key.toString());
        try (ConfigurableApplicationContext gateway = GatewayServer.start(settings)) {
            assertThat(moderate(gateway))
                    .contains("\"model\":\"llama-guard3-1b\"", "\"flagged\":true", "\"S9\":1.0", "\"S1\":0.0");
            assertThat(moderate(gateway)).contains("\"S9\":1.0");
        }
        server.verify(
                1,
                postRequestedFor(urlEqualTo("/v1/chat/completions"))
                        .withHeader("Authorization", equalTo("Bearer sk-123")));
        assertThat(output)
                .contains("guard llama-guard3-1b (remote, licence of llama-guard3:1b): on " + server.baseUrl()
                        + "/v1, by /chat/completions; not measured")
                .contains("its probabilities: of the hazard that is named first")
                .doesNotContain("sk-123")
                .doesNotContain("./corral quantize --from DIR");
    }

    @Test
    void startWhenRemoteAndDirectoryAreGivenSaysThatThereIsOneGuard(CapturedOutput output) {
        Map<String, String> settings = settings();
        settings.put("corral.guard.directory", folder.toString());
        assertFails(settings);
        assertThat(output)
                .contains(
                        "corral.guard.directory must be left out where corral.guard.remote is set: there is one guard")
                .doesNotContain("\tat ");
    }

    @Test
    void startWhenRemoteSettingsMakeNoGuardSaysWhy(CapturedOutput output) {
        Map<String, String> settings = settings();
        settings.put("corral.guard.remote.api-key-file", folder.resolve("none").toString());
        assertFails(settings);
        assertThat(output)
                .contains(
                        "The remote guard cannot be used: corral.guard.remote.api-key-file must be a file that can be read")
                .contains("Correct the settings below corral.guard.remote")
                .doesNotContain("\tat ");
    }

    @Test
    void startWhenFamilyOfTheRemoteGuardIsUnknownSaysWhichThereAre(CapturedOutput output) {
        Map<String, String> settings = settings();
        settings.put("corral.guard.remote.family", "gpt");
        assertFails(settings);
        assertThat(output).contains("corral.guard.remote.family must be llama-guard-3 or llama-guard-3-8b: gpt");
    }

    @Test
    void startWhenTheBuiltInGuardIsAskedForAllHazardsSaysThatItCannot(CapturedOutput output) {
        assertFails(Map.of("corral.port", "0", "corral.guard.hazards", "all"));
        assertThat(output)
                .contains("the built-in guard cannot name all hazards, only the first")
                .doesNotContain("\tat ");
    }

    private static void assertFails(Map<String, String> settings) {
        assertThat(catchThrowable(() -> GatewayServer.start(settings).close())).isNotNull();
    }
}
