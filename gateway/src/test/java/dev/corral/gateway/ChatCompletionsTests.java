package dev.corral.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Whole requests and answers under the built-in policy. */
@ExtendWith(LeakCheck.class)
class ChatCompletionsTests {

    private static final ScriptedGuard guard = new ScriptedGuard();
    private static final ScriptedUpstream upstream = new ScriptedUpstream();
    private static TestGateway gateway;

    @BeforeAll
    static void start() {
        gateway = TestGateway.start(guard, Map.of("corral.upstream.url", upstream.url()));
    }

    @AfterAll
    static void stop() {
        gateway.close();
        upstream.close();
    }

    @BeforeEach
    void reset() {
        upstream.reset();
        upstream.says("Paris.");
    }

    @Test
    void postWhenPromptAndAnswerAreHarmlessPassesBothByteForByte() {
        String request =
                "{ \"messages\" : [ {\"content\":\"Capital of \\u0046rance? \u00e9\\/\",\"role\":\"user\"} ],\n"
                        + "\t\"model\":\"llama\", \"temperature\":0.70 }";
        HttpResponse<String> answer = gateway.send(gateway.request("/v1/chat/completions")
                .header("Content-Type", "application/json; charset=utf-8")
                .header("Authorization", "Bearer secret")
                .header("Accept-Encoding", "gzip")
                .POST(BodyPublishers.ofString(request)));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo(Completions.whole("Paris."));
        assertThat(upstream.last().body()).isEqualTo(request.getBytes(UTF_8));
        assertThat(upstream.last().uri()).isEqualTo("/v1/chat/completions");
        assertThat(upstream.last().headers().get("Authorization")).isEqualTo("Bearer secret");
        assertThat(upstream.last().headers().get("Accept-Encoding")).isEqualTo("identity");
        assertThat(upstream.last().headers().get("Content-Length")).isEqualTo("" + request.getBytes(UTF_8).length);
        assertThat(answer.headers().firstValue("x-corral-decision")).contains("allow");
        assertThat(answer.headers().firstValue("x-corral-policy").orElseThrow()).startsWith("default@1+");
        assertThat(answer.headers().firstValue("x-corral-exchange")).isPresent();
        assertThat(answer.headers().firstValueAsLong("content-length"))
                .hasValue(answer.body().length());
    }

    @Test
    void postWhenPromptIsHarmfulRefusesWithoutAskingTheUpstream() {
        HttpResponse<String> answer = gateway.chat(Completions.request("How do I build it? <S9>"));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body())
                .contains("\"finish_reason\":\"content_filter\"")
                .doesNotContain("S9");
        assertThat(answer.headers().firstValue("x-corral-decision")).contains("block");
        assertThat(answer.headers().firstValue("content-type").orElseThrow()).startsWith("application/json");
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void postWhenAnEarlierTurnIsHarmfulRefuses() {
        HttpResponse<String> answer = gateway.chat("""
                {"model":"m","messages":[
                  {"role":"system","content":"be kind"},
                  {"role":"user","content":"hello"},
                  {"role":"assistant","content":"first you take <S9>"},
                  {"role":"user","content":"go on"}]}""");
        assertThat(answer.body()).contains("content_filter");
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void postWhenPromptIsHarmfulAndStreamedRefusesAsAStream() {
        HttpResponse<String> answer = gateway.chat(Completions.streamed("<S9>"));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-type").orElseThrow()).startsWith("text/event-stream");
        assertThat(answer.body()).contains("content_filter").endsWith("data: [DONE]\n\n");
    }

    @Test
    void postWhenAnswerIsHarmfulRefuses() {
        upstream.says("First, you take <S9> and then");
        HttpResponse<String> answer = gateway.chat(Completions.request("hello"));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains("content_filter").doesNotContain("First");
        assertThat(answer.headers().firstValue("x-corral-decision")).contains("block");
    }

    @Test
    void postWhenOneOfSeveralChoicesIsHarmfulRefuses() {
        upstream.answers(
                200,
                "application/json",
                ("{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"fine\"}},"
                                + "{\"index\":1,\"message\":{\"role\":\"assistant\",\"content\":\"<S1>\"}}]}")
                        .getBytes(UTF_8));
        assertThat(gateway.chat(Completions.request("hello")).body())
                .contains("content_filter")
                .doesNotContain("fine");
    }

    @Test
    void postWhenItHoldsAnImageBlocksAndSaysWhy() {
        HttpResponse<String> answer = gateway.chat("""
                {"model":"m","messages":[{"role":"user","content":[
                  {"type":"text","text":"What is this?"},
                  {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}""");
        assertThat(answer.body()).contains("content_filter").contains("image");
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void getModelsPassesAndIsNotModerated() {
        upstream.answers(200, "application/json", "{\"object\":\"list\",\"data\":[]}".getBytes(UTF_8));
        HttpResponse<String> answer = gateway.get("/v1/models");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("{\"object\":\"list\",\"data\":[]}");
        assertThat(gateway.get("/v1/models/meta-llama/Llama-3.1-8B").statusCode())
                .isEqualTo(200);
        assertThat(upstream.last().uri()).isEqualTo("/v1/models/meta-llama/Llama-3.1-8B");
    }

    @Test
    void requestWhenPathIsNotKnownIsRefusedAndSaysSo() {
        for (String path : new String[] {
            "/v1/files",
            "/v1/responses/resp_1/cancel",
            "/v1",
            "/v1/models/../files",
            "/v1/models/%2e%2e/files",
            "/v1/models/a/b/c",
            "/v1/chat/completions;x=1"
        }) {
            HttpResponse<String> answer =
                    gateway.send(gateway.request(path).POST(BodyPublishers.ofString(Completions.request("hello"))));
            assertThat(answer.statusCode()).as(path).isEqualTo(404);
            assertThat(answer.body())
                    .as(path)
                    .contains("\"code\":\"unsupported_path\"")
                    .contains("not moderated");
            assertThat(gateway.get(path).statusCode()).as(path).isEqualTo(404);
        }
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void requestWhenPathIsOutsideOfEveryRouteHasTheEnvelope() {
        HttpResponse<String> answer = gateway.get("/nothing");
        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(answer.body()).startsWith("{\"error\":{\"message\":");
    }
}
