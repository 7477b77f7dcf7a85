package dev.corral.gateway;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static com.github.tomakehurst.wiremock.client.WireMock.postRequestedFor;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.options;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.http.Fault;
import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import reactor.core.publisher.Flux;

/** What upstreams do wrong. */
@ExtendWith(LeakCheck.class)
class UpstreamFailureTests {

    private static final ScriptedGuard guard = new ScriptedGuard();
    private static final WireMockServer mock =
            new WireMockServer(options().bindAddress("127.0.0.1").dynamicPort());
    private static final ScriptedUpstream upstream = new ScriptedUpstream();
    private static TestGateway mocked;
    private static TestGateway scripted;

    @BeforeAll
    static void start() throws IOException {
        mock.start();
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        String route = "spring.cloud.gateway.server.webflux.routes[0]";
        Map<String, String> impatient = Map.of(
                "corral.upstream.response-timeout",
                "1s",
                "corral.upstream.idle-timeout",
                "700ms",
                "corral.max-answer-size",
                "64KB",
                route + ".id",
                "down",
                route + ".uri",
                "http://127.0.0.1:" + free,
                route + ".predicates[0]",
                "Path=/down/**",
                route + ".filters[0]",
                "Moderate=default");
        mocked = TestGateway.start(guard, with(impatient, "http://127.0.0.1:" + mock.port() + "/v1"));
        scripted = TestGateway.start(guard, with(impatient, upstream.url()));
    }

    private static Map<String, String> with(Map<String, String> settings, String url) {
        Map<String, String> all = new HashMap<>(settings);
        all.put("corral.upstream.url", url);
        return all;
    }

    @AfterAll
    static void stop() {
        mocked.close();
        scripted.close();
        mock.stop();
        upstream.close();
    }

    @BeforeEach
    void reset() {
        mock.resetAll();
        upstream.reset();
    }

    private static HttpResponse<String> answered(ResponseDefinitionBuilder response) {
        mock.stubFor(post(anyUrl()).willReturn(response));
        return mocked.chat(Completions.request("hello"));
    }

    private static void assertError(HttpResponse<String> answer, int status, String code) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.body())
                .startsWith("{\"error\":{\"message\":\"")
                .contains("\"code\":\"" + code + "\"")
                .doesNotContain("Exception");
        assertThat(answer.headers().firstValue("x-corral-exchange")).isPresent();
    }

    @Test
    void postWhenTheUpstreamIsDownIsABadGateway() {
        HttpResponse<String> answer = mocked.send(mocked.request("/down/v1/chat/completions")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(Completions.request("hello"))));
        assertError(answer, 502, "upstream_unreachable");
    }

    @Test
    void postWhenTheUpstreamIsSlowIsATimeoutAndIsNotRepeated() {
        assertError(answered(aResponse().withFixedDelay(3_000).withBody("{}")), 504, "upstream_timeout");
        mock.verify(1, postRequestedFor(anyUrl()));
    }

    @Test
    void postWhenTheConnectionIsResetBeforeTheAnswerIsABadGatewayAndIsNotRepeated() {
        assertError(answered(aResponse().withFault(Fault.CONNECTION_RESET_BY_PEER)), 502, "upstream_failed");
        assertError(answered(aResponse().withFault(Fault.EMPTY_RESPONSE)), 502, "upstream_failed");
        mock.verify(2, postRequestedFor(anyUrl()));
    }

    @Test
    void postWhenTheAnswerIsGarbageIsABadGateway() {
        assertThat(answered(aResponse().withFault(Fault.MALFORMED_RESPONSE_CHUNK))
                        .statusCode())
                .isEqualTo(502);
        assertThat(answered(aResponse()
                                .withHeader("Content-Type", "application/json")
                                .withBody("{\"choices\":["))
                        .statusCode())
                .isEqualTo(502);
        assertThat(answered(aResponse()
                                .withHeader("Content-Type", "application/json")
                                .withBody("{\"id\":\"hi\"}"))
                        .statusCode())
                .isEqualTo(502);
        assertThat(answered(aResponse().withStatus(204)).statusCode()).isEqualTo(502);
    }

    @Test
    void postWhenTheAnswerIsAPageIsABadGateway() {
        HttpResponse<String> answer =
                answered(aResponse().withHeader("Content-Type", "text/html").withBody("<html><S9></html>"));
        assertError(answer, 502, "upstream_content_type");
        assertThat(answer.body()).contains("text/html").doesNotContain("<html>");
    }

    @Test
    void postWhenTheAnswerIsCompressedIsABadGateway() {
        assertError(
                answered(aResponse()
                        .withHeader("Content-Type", "application/json")
                        .withHeader("Content-Encoding", "br")
                        .withBody("xyz")),
                502,
                "upstream_content_encoding");
    }

    @Test
    void postWhenTheAnswerIsTooLargeIsABadGateway() {
        assertError(
                answered(aResponse()
                        .withHeader("Content-Type", "application/json")
                        .withBody(Completions.whole("x".repeat(70_000)))),
                502,
                "upstream_answer_too_large");
    }

    @Test
    void postWhenTheUpstreamRedirectsIsABadGateway() {
        assertError(
                answered(aResponse().withStatus(302).withHeader("Location", "http://127.0.0.1/")),
                502,
                "upstream_status");
    }

    @Test
    void postWhenTheUpstreamTellsAnErrorPassesItWithItsStatus() {
        String error = "{\"error\" : {\"message\":\"model 'x' not found\",\"type\":\"api_error\"}}";
        HttpResponse<String> answer = answered(aResponse()
                .withStatus(429)
                .withHeader("Retry-After", "7")
                .withHeader("Content-Type", "application/json")
                .withBody(error));
        assertThat(answer.statusCode()).isEqualTo(429);
        assertThat(answer.body()).isEqualTo(error);
        assertThat(answer.headers().firstValue("Retry-After")).contains("7");
    }

    @Test
    void postWhenTheUpstreamsErrorIsHarmfulOrNoJsonKeepsTheStatusOnly() {
        HttpResponse<String> harmful = answered(aResponse()
                .withStatus(500)
                .withHeader("Content-Type", "application/json")
                .withBody("{\"error\":{\"message\":\"while saying: SECRET <S9>\"}}"));
        assertError(harmful, 500, "upstream_error");
        assertThat(harmful.body()).doesNotContain("SECRET");
        HttpResponse<String> page = answered(aResponse()
                .withStatus(503)
                .withHeader("Content-Type", "text/html")
                .withBody("<h1>SECRET</h1>"));
        assertError(page, 503, "upstream_error");
        assertThat(page.body()).doesNotContain("SECRET");
        assertError(answered(aResponse().withStatus(401)), 401, "upstream_error");
    }

    @Test
    void postWhenTheUpstreamStallsInAWholeAnswerIsATimeout() {
        upstream.answer((request, response) -> response.header("Content-Type", "application/json")
                .sendString(Flux.concat(Flux.just("{\"choices\":"), Flux.never()), UTF_8));
        assertError(scripted.chat(Completions.request("stall")), 504, "upstream_stalled");
    }

    @Test
    void streamWhenTheUpstreamStallsEndsWithAnErrorFrameAndCancels() {
        upstream.streams(Flux.just(Completions.role().getBytes(UTF_8)).concatWith(Flux.never()));
        assertThat(scripted.chat(Completions.streamed("stall")).body())
                .startsWith(Completions.role() + "data: {\"error\":{")
                .contains("upstream_stalled")
                .doesNotContain("[DONE]");
        await().untilAsserted(() -> assertThat(upstream.cancelled).hasValue(1));
    }

    @Test
    void streamWhenTheGuardIsSlowerThanTheIdleTimeoutIsNotTheUpstreamsFault() {
        upstream.streams(Completions.stream("<hold> ".repeat(10), "the end"));
        Thread.ofVirtual().start(() -> {
            await().until(() -> guard.holding.get() == 1);
            await().pollDelay(Duration.ofMillis(1_500)).until(() -> true);
            guard.release();
            await().pollDelay(Duration.ofMillis(200)).until(() -> true);
            guard.release();
        });
        assertThat(scripted.chat(Completions.streamed("slow guard")).body())
                .isEqualTo(Completions.joined(Completions.stream("<hold> ".repeat(10), "the end")));
    }
}
