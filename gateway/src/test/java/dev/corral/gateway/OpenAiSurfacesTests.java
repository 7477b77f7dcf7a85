package dev.corral.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The APIs of OpenAI's beside chats, through the whole gateway. */
@ExtendWith(LeakCheck.class)
class OpenAiSurfacesTests {

    private static final String POLICY = """
            policy: surfaces
            version: 1
            rules:
              - { id: all, when: { hazard: any }, then: block, message: "No." }
            streaming: { window: 50 characters, first-window: 20 characters, lookback: all }
            """;

    private static final ScriptedGuard guard = new ScriptedGuard();
    private static final ScriptedUpstream upstream = new ScriptedUpstream();
    private static TestGateway gateway;

    @BeforeAll
    static void start() {
        gateway = TestGateway.start(guard, upstream, POLICY);
    }

    @AfterAll
    static void stop() {
        gateway.close();
        upstream.close();
    }

    @BeforeEach
    void reset() {
        upstream.reset();
    }

    @Test
    void responsesWhenTheInputIsUnsafeAreRefusedInTheirOwnWay() {
        HttpResponse<String> answer = post("/v1/responses", "{\"model\":\"llama\",\"input\":\"<S9>\"}");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body())
                .contains("\"incomplete_details\":{\"reason\":\"content_filter\"}")
                .contains("{\"type\":\"refusal\",\"refusal\":\"No.\"}");
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void responsesWhenTheStreamIsHarmlessPassByteForByte() {
        String harmless = event("response.created", "\"response\":{\"id\":\"r\",\"output\":[]}")
                + event("response.output_text.delta", "\"output_index\":0,\"content_index\":0,\"delta\":\"Hello you\"")
                + event("response.completed", "\"response\":{\"id\":\"r\",\"output\":[]}");
        upstream.streams(List.of(harmless.getBytes(UTF_8)));
        HttpResponse<String> answer =
                post("/v1/responses", "{\"model\":\"llama\",\"stream\":true,\"input\":\"hello\"}");
        assertThat(answer.body()).isEqualTo(harmless);
        assertThat(upstream.last().uri()).isEqualTo("/v1/responses");
    }

    @Test
    void responsesWhenTheStreamTurnsUnsafeEndIncomplete() {
        upstream.streams(List.of((event("response.created", "\"response\":{\"id\":\"r\",\"output\":[]}")
                        + event(
                                "response.output_text.delta",
                                "\"output_index\":0,\"content_index\":0,\"delta\":\"<S9>\"")
                        + event("response.completed", "\"response\":{\"id\":\"r\",\"output\":[]}"))
                .getBytes(UTF_8)));
        HttpResponse<String> answer =
                post("/v1/responses", "{\"model\":\"llama\",\"stream\":true,\"input\":\"hello\"}");
        assertThat(answer.body())
                .startsWith("event: response.created\n")
                .contains("event: response.incomplete\n")
                .contains("\"delta\":\"No.\"")
                .doesNotContain("<S9>")
                .doesNotContain("response.completed");
    }

    @Test
    void completionsWhenOnePromptIsUnsafeAreRefused() {
        HttpResponse<String> answer = post("/v1/completions", "{\"prompt\":[\"hello\",\"<S9>\"]}");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains("\"text\":\"No.\"").contains("\"finish_reason\":\"content_filter\"");
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void embeddingsWhenHarmlessPassByteForByte() {
        String answered = "{\"object\":\"list\", \"data\":[{\"index\":0,\"embedding\":[0.5,1]}],\"model\":\"nomic\"}";
        upstream.answers(200, "application/json", answered.getBytes(UTF_8));
        assertThat(post("/v1/embeddings", "{\"input\":[\"hello\"]}").body()).isEqualTo(answered);
    }

    @Test
    void embeddingsWhenUnsafeAreAnErrorThatNobodyRetries() {
        HttpResponse<String> answer = post("/v1/embeddings", "{\"input\":[\"hello\",\"<S9>\"]}");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("content_policy_violation");
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void completionsWhenThePromptIsOfTokensAreBlockedAsUnscanned() {
        assertThat(post("/v1/completions", "{\"prompt\":[1,2,3]}").body()).contains("content_filter");
        assertThat(upstream.received).isEmpty();
    }

    private static HttpResponse<String> post(String path, String body) {
        return gateway.send(
                gateway.request(path).header("Content-Type", "application/json").POST(BodyPublishers.ofString(body)));
    }

    private static String event(String type, String fields) {
        return "event: " + type + "\ndata: {\"type\":\"" + type + "\"," + fields + "}\n\n";
    }
}
