package dev.corral.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A policy's style on its way to the client. */
@ExtendWith(LeakCheck.class)
class RefusalStyleTests {

    private static final String POLICY = """
            policy: hooks
            version: 1
            rules:
              - { id: heated, when: { hazard: S10 }, then: flag }
              - { id: rest, when: { hazard: any }, then: block }
            block: { style: portkey, message: Not here. }
            streaming: { window: 8 characters, first-window: 4 characters, lookback: all }
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
    void promptWhenItIsBlockedHasTheStatusOfTheStyle() {
        HttpResponse<String> whole = gateway.chat(Completions.request("<S9>"));
        HttpResponse<String> stream = gateway.chat(Completions.streamed("<S9>"));

        assertThat(whole.statusCode()).isEqualTo(446);
        assertThat(whole.body()).contains("before_request_hooks", "Not here.").doesNotContain("S9");
        assertThat(stream.statusCode()).isEqualTo(446);
        assertThat(stream.body()).isEqualTo(whole.body());
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void answerWhenItIsBlockedHasTheStatusOfTheStyle() {
        upstream.says("so <S9>");

        HttpResponse<String> answer = gateway.chat(Completions.request("hello"));

        assertThat(answer.statusCode()).isEqualTo(446);
        assertThat(answer.body()).contains("\"id\":\"corral-output\"");
    }

    @Test
    void answerWhenItIsFlaggedPassesWithAStatusOfItsOwn() {
        upstream.says("so <S10>");
        assertThat(gateway.chat(Completions.request("hello")).statusCode()).isEqualTo(246);

        upstream.says("fine");
        assertThat(gateway.chat(Completions.request("hello")).statusCode()).isEqualTo(200);

        upstream.answers(404, "application/json", "{\"error\":{\"message\":\"<S10>\"}}".getBytes(UTF_8));
        assertThat(gateway.chat(Completions.request("hello")).statusCode()).isEqualTo(404);
    }

    @Test
    void streamWhenNothingWasSentHasTheStatusOfTheStyle() {
        upstream.streams(List.of(Completions.delta("at once <S9>").getBytes(UTF_8), Completions.DONE.getBytes(UTF_8)));

        HttpResponse<String> answer = gateway.chat(Completions.streamed("hello"));

        assertThat(answer.statusCode()).isEqualTo(446);
        assertThat(answer.headers().firstValue("content-type")).contains("application/json");
        assertThat(answer.body()).contains("after_request_hooks").doesNotContain("S9", "data:");
    }

    @Test
    void streamWhenItHasBegunEndsWithTheStylesBody() {
        upstream.streams(Completions.stream("harmless ", "words ", "then <S9>"));

        HttpResponse<String> answer = gateway.chat(Completions.streamed("hello"));

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains("harmless ", "after_request_hooks").doesNotContain("S9", "[DONE]");
    }
}
