package dev.corral.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.HandClock;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.StreamClient;
import dev.corral.gateway.testing.TestGateway;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOption;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Several upstreams: which of them is asked, and what happens when one fails. */
@ExtendWith({LeakCheck.class, OutputCaptureExtension.class})
class UpstreamRoutingTests {

    private static final String ALPHAS_KEY = "sk-alpha-8d3f";
    private static final ScriptedGuard guard = new ScriptedGuard();
    private static final HandClock clock = new HandClock();
    private static final ScriptedUpstream alpha = new ScriptedUpstream();
    private static final ScriptedUpstream beta = new ScriptedUpstream();
    private static final ScriptedUpstream narrow = new ScriptedUpstream();
    private static final ScriptedUpstream spare = new ScriptedUpstream();
    private static TestGateway gateway;

    /** alpha-* at alpha, beta-* at beta; the others at what fails, with a spare. */
    @BeforeAll
    static void start(@TempDir Path secrets) throws IOException {
        Files.writeString(secrets.resolve("alpha"), ALPHAS_KEY + "\n");
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("corral.secrets-directory", secrets.toString());
        settings.put("corral.upstreams.alpha.url", alpha.url());
        settings.put("corral.upstreams.alpha.models", "alpha-*,frail-*,shared");
        settings.put("corral.upstreams.alpha.response-timeout", "1s");
        settings.put("corral.upstreams.alpha.idle-timeout", "700ms");
        settings.put("corral.upstreams.alpha.breaker.failure-rate", "100");
        settings.put("corral.upstreams.beta.url", beta.url());
        settings.put("corral.upstreams.beta.models", "beta-*,shared");
        settings.put("corral.upstreams.beta.breaker.requests", "4");
        settings.put("corral.upstreams.beta.breaker.pause", "10s");
        settings.put("corral.upstreams.beta.breaker.probes", "1");
        settings.put("corral.upstreams.down.url", "http://127.0.0.1:" + free + "/v1");
        settings.put("corral.upstreams.down.models", "down-*");
        settings.put("corral.upstreams.down.breaker.failure-rate", "100");
        settings.put("corral.upstreams.spare.url", spare.url());
        settings.put("corral.upstreams.spare.models", "down-*,frail-*,narrow-*,plain-*");
        settings.put("corral.upstreams.spare.weight", "0");
        settings.put("corral.upstreams.narrow.url", narrow.url());
        settings.put("corral.upstreams.narrow.models", "narrow-*");
        settings.put("corral.upstreams.narrow.max-connections", "1");
        settings.put("spring.cloud.gateway.server.webflux.httpclient.pool.acquire-timeout", "300");
        settings.put("corral.upstreams.plain.url", alpha.url().replace("http:", "https:"));
        settings.put("corral.upstreams.plain.models", "plain-*");
        String route = "spring.cloud.gateway.server.webflux.routes[0].";
        settings.put(route + "id", "team");
        settings.put(route + "uri", "upstream://beta");
        settings.put(route + "predicates[0]", "Path=/team/**");
        settings.put(route + "filters[0]", "StripPrefix=1");
        settings.put(route + "filters[1]", "Moderate=default");
        gateway = TestGateway.start(guard, clock, settings);
    }

    @AfterAll
    static void stop() {
        gateway.close();
        alpha.close();
        beta.close();
        narrow.close();
        spare.close();
    }

    @BeforeEach
    void reset() {
        for (ScriptedUpstream upstream : new ScriptedUpstream[] {alpha, beta, narrow, spare}) {
            upstream.reset();
        }
        alpha.says("alpha's");
        beta.says("beta's");
        spare.says("spare's");
    }

    private static String request(String model) {
        return Completions.request("hello").replace("\"llama\"", "\"" + model + "\"");
    }

    private static HttpResponse<String> ask(String model) {
        return gateway.chat(request(model));
    }

    private static void assertError(HttpResponse<String> answer, int status, String code) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.body()).contains("\"code\":\"" + code + "\"").doesNotContain("Exception");
    }

    @Test
    void postWhenModelsDifferGoesToWhoServesThem(CapturedOutput output) {
        assertThat(ask("alpha-1").body()).contains("alpha's");
        assertThat(ask("beta-1").body()).contains("beta's");
        assertThat(alpha.received).hasSize(1);
        assertThat(beta.last().uri()).isEqualTo("/v1/chat/completions");
        assertThat(new String(beta.last().body(), UTF_8)).isEqualTo(request("beta-1"));
        await().untilAsserted(() -> assertThat(output).contains("route corral upstream beta policy"));
    }

    @Test
    void postWhenNobodyServesTheModelIsNotFoundAndAsksNobody() {
        assertError(ask("gamma-1"), 404, "model_not_found");
        assertThat(alpha.received).isEmpty();
        assertThat(beta.received).isEmpty();
    }

    @Test
    void postWhenARouteNamesAnUpstreamGoesThereWhateverTheModel() {
        HttpResponse<String> answer = gateway.send(gateway.request("/team/v1/chat/completions?x=1")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(request("alpha-1"))));
        assertThat(answer.body()).contains("beta's");
        assertThat(beta.last().uri()).isEqualTo("/v1/chat/completions?x=1");
    }

    @Test
    void postWhenTheConnectionIsRefusedAsksTheNext() {
        double before = gateway.metric("corral_upstream_fallbacks_total", "from=\"down\"", "to=\"spare\"");
        HttpResponse<String> answer = ask("down-1");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains("spare's");
        assertThat(spare.received).hasSize(1);
        assertThat(gateway.metric("corral_upstream_fallbacks_total", "from=\"down\"", "to=\"spare\""))
                .isEqualTo(before + 1);
        assertThat(gateway.metric("corral_upstream_requests_seconds_count", "upstream=\"down\"", "unreachable"))
                .isPositive();
    }

    @Test
    void postWhenAllConnectionsAreTakenAsksTheNext() throws Exception {
        narrow.streams(Flux.just(Completions.role().getBytes(UTF_8)).concatWith(Flux.never()));
        try (StreamClient client =
                StreamClient.post(gateway.port(), Completions.streamed("hello").replace("\"llama\"", "\"narrow-1\""))) {
            client.awaitBody("assistant");
            assertThat(ask("narrow-1").body()).contains("spare's");
        }
        assertThat(narrow.received).hasSize(1);
        assertThat(gateway.metric("corral_upstream_requests_seconds_count", "upstream=\"narrow\"", "busy"))
                .isPositive();
        assertThat(gateway.get("/actuator/health").body()).contains("\"narrow\":\"closed\"");
    }

    @Test
    void postWhenTheUpstreamDoesNotSpeakTlsAsksTheNext() {
        assertThat(ask("plain-1").body()).contains("spare's");
        assertThat(gateway.metric("corral_upstream_fallbacks_total", "from=\"plain\"", "to=\"spare\""))
                .isPositive();
    }

    @Test
    void postWhenTheConnectionBreaksBeforeTheFirstByteAsksNobodyElse() {
        alpha.answer((request, response) -> {
            request.withConnection(connection -> {
                connection.channel().config().setOption(ChannelOption.SO_LINGER, 0);
                connection.channel().close();
            });
            return Mono.never();
        });
        HttpResponse<String> answer = ask("frail-1");
        assertError(answer, 502, "upstream_failed");
        assertThat(answer.body()).contains("'alpha'").doesNotContain("127.0.0.1");
        assertThat(alpha.received).hasSize(1);
        assertThat(spare.received).isEmpty();
    }

    @Test
    void streamWhenTheConnectionBreaksAfterTheFirstByteEndsWithAnErrorAndAsksNobodyElse() {
        alpha.answer((request, response) -> response.header("Content-Type", "text/event-stream")
                .send(
                        Flux.just(Completions.role().getBytes(UTF_8))
                                .map(Unpooled::wrappedBuffer)
                                .concatWith(Mono.delay(Duration.ofMillis(100))
                                        .then(Mono.error(new IOException("scripted")))),
                        _ -> true));
        String answer = gateway.chat(Completions.streamed("hello").replace("\"llama\"", "\"frail-1\""))
                .body();
        assertThat(answer).startsWith(Completions.role() + "data: {\"error\":{").doesNotContain("[DONE]");
        assertThat(spare.received).isEmpty();
    }

    @Test
    void postWhenTheHeadIsSlowIsATimeoutAndAsksNobodyElse() {
        alpha.answer((_, _) -> Mono.never());
        HttpResponse<String> answer = ask("frail-1");
        assertError(answer, 504, "upstream_timeout");
        assertThat(answer.body()).contains("corral.upstreams.alpha.response-timeout");
        assertThat(spare.received).isEmpty();
        assertThat(gateway.metric("corral_upstream_requests_seconds_count", "upstream=\"alpha\"", "slow"))
                .isPositive();
    }

    @Test
    void streamWhenTheUpstreamStallsNamesItsOwnSetting() {
        alpha.streams(Flux.just(Completions.role().getBytes(UTF_8)).concatWith(Flux.never()));
        assertThat(gateway.chat(Completions.streamed("hello").replace("\"llama\"", "\"alpha-1\""))
                        .body())
                .contains("upstream_stalled", "corral.upstreams.alpha.idle-timeout");
        await().untilAsserted(() -> assertThat(alpha.cancelled).hasValue(1));
    }

    @Test
    void postWhenAnUpstreamKeepsFailingLeavesItAloneAndTriesItAgainLater(CapturedOutput output) {
        for (int i = 0; i < 4; i++) { // closes a half-open breaker, and fills its window
            clock.advance(Duration.ofSeconds(10));
            ask("beta-1");
        }
        beta.answers(503, "application/json", "{\"error\":{\"message\":\"busy\"}}".getBytes(UTF_8));
        for (int i = 0; i < 2; i++) {
            assertThat(ask("beta-1").statusCode()).isEqualTo(503);
        }
        beta.reset();
        HttpResponse<String> alone = ask("beta-1");
        assertError(alone, 503, "upstream_unavailable");
        assertThat(alone.headers().firstValue("Retry-After")).isPresent();
        assertThat(beta.received).isEmpty();
        assertThat(gateway.metric("corral_upstream_available", "upstream=\"beta\""))
                .isZero();
        assertThat(gateway.metric("corral_upstream_left_alone_total", "upstream=\"beta\""))
                .isPositive();
        assertThat(gateway.get("/actuator/health").body()).contains("\"beta\":\"open\"", "\"alpha\":\"closed\"");
        assertThat(ask("shared").body()).contains("alpha's");

        clock.advance(Duration.ofSeconds(9));
        assertError(ask("beta-1"), 503, "upstream_unavailable");
        assertThat(beta.received).isEmpty();
        clock.advance(Duration.ofSeconds(2));
        assertThat(ask("beta-1").body()).contains("busy"); // the probe fails
        assertThat(beta.received).hasSize(1);
        assertError(ask("beta-1"), 503, "upstream_unavailable");
        clock.advance(Duration.ofSeconds(11));
        beta.says("beta is back");
        assertThat(ask("beta-1").body()).contains("beta is back");
        assertThat(ask("beta-1").body()).contains("beta is back");
        assertThat(gateway.metric("corral_upstream_available", "upstream=\"beta\""))
                .isOne();
        assertThat(output)
                .contains("'beta' is left alone for 10000 ms", "'beta' is tried again", "'beta' is well again");
    }

    @Test
    void postWhenAnUpstreamHasAKeyShowsItThatKeyAndNobodyElse(CapturedOutput output) {
        for (String model : new String[] {"alpha-1", "beta-1"}) {
            gateway.send(gateway.request("/v1/chat/completions")
                    .header("Content-Type", "application/json")
                    .header("Authorization", "Bearer sk-clients")
                    .header("api-key", "sk-clients")
                    .POST(BodyPublishers.ofString(request(model))));
        }
        assertThat(alpha.last().headers().getAll("Authorization")).containsExactly("Bearer " + ALPHAS_KEY);
        assertThat(alpha.last().headers().contains("api-key")).isFalse();
        assertThat(beta.last().headers().contains("Authorization")).isFalse();
        alpha.answers(401, "application/json", "{\"error\":{\"message\":\"who are you?\"}}".getBytes(UTF_8));
        assertThat(ask("alpha-1").statusCode()).isEqualTo(401);
        assertThat(gateway.get("/actuator/health").body()
                        + gateway.get("/actuator/prometheus").body())
                .doesNotContain(ALPHAS_KEY);
        assertThat(output).doesNotContain(ALPHAS_KEY).doesNotContain("sk-clients");
    }

    private static String list(String... models) {
        StringBuilder list = new StringBuilder();
        for (String model : models) {
            list.append(list.isEmpty() ? "" : ",")
                    .append("{\"id\":\"" + model + "\",\"object\":\"model\",\"owned_by\":\"scripted\"}");
        }
        return list.toString();
    }

    @Test
    void modelsWhenThereAreSeveralUpstreamsAreOneListOfWhatIsReached() {
        alpha.answers(
                200, "application/json", ("{\"data\":[" + list("alpha-1", "beta-9", "shared") + "]}").getBytes(UTF_8));
        beta.answers(200, "application/json", ("[" + list("beta-1", "shared") + "]").getBytes(UTF_8));
        spare.answers(500, "text/plain", "no".getBytes(UTF_8));
        HttpResponse<String> answer = gateway.send(gateway.request("/v1/models")
                .header("Authorization", "Bearer sk-clients")
                .GET());
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("Content-Type")).contains("application/json");
        assertThat(answer.body())
                .isEqualTo("{\"object\":\"list\",\"data\":[" + list("alpha-1", "shared", "beta-1") + "]}");
        assertThat(alpha.last().headers().getAll("Authorization")).containsExactly("Bearer " + ALPHAS_KEY);
        assertThat(beta.last().headers().contains("Authorization")).isFalse();
    }

    @Test
    void modelWhenItIsNamedInThePathIsAskedOfWhoServesIt() {
        beta.answers(200, "application/json", list("beta-1").getBytes(UTF_8));
        assertThat(gateway.get("/v1/models/beta-1").body()).isEqualTo(list("beta-1"));
        assertThat(beta.last().uri()).isEqualTo("/v1/models/beta-1");
        assertThat(alpha.received).isEmpty();
    }

    @Test
    void postWhenAnImageIsForATextModelIsRefusedBeforeAnybodyWorks() {
        int asked = guard.asked.size();
        HttpResponse<String> answer = gateway.chat("""
                {"model":"alpha-1/llama3.2:3b","messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},
                {"type":"image_url","image_url":{"url":"https://example.com/cat.png"}}]}]}""");
        assertError(answer, 400, "image_not_supported");
        assertThat(answer.body()).contains("llama3.2:3b", "\"param\":\"messages[0].content[1]");
        assertThat(guard.asked).hasSize(asked);
        assertThat(alpha.received).isEmpty();
    }

    @Test
    void streamWhenTheClientLeavesFreesTheUpstream() throws Exception {
        alpha.streams(Flux.concat(
                Flux.fromIterable(Completions.stream("x".repeat(100))).take(2), Flux.never()));
        try (StreamClient client =
                StreamClient.post(gateway.port(), Completions.streamed("hello").replace("\"llama\"", "\"alpha-1\""))) {
            client.awaitBody("xxx");
        }
        await().atMost(Duration.ofSeconds(1))
                .untilAsserted(() -> assertThat(alpha.cancelled).hasValue(1));
    }
}
