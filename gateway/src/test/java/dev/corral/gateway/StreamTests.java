package dev.corral.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.StreamClient;
import dev.corral.gateway.testing.TestGateway;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** Streamed answers: what passes, when, and how a stream ends. The policy's windows are 20 and 50 characters. */
@ExtendWith(LeakCheck.class)
class StreamTests {

    private static final String POLICY = """
            policy: streams
            version: 1
            rules:
              - { id: all, when: { hazard: any }, then: block }
            streaming: { window: 50 characters, first-window: 20 characters, lookback: all }
            """;

    private static final String HARMLESS = "Twenty characters ok ";

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
    void streamWhenHarmlessPassesByteForByte() {
        List<byte[]> pieces =
                Completions.stream("Once ", "upon a time, ", "there was ", "nothing", " much \u00e9\uD83D\uDE00.");
        upstream.streams(pieces);
        HttpResponse<String> answer = gateway.chat(Completions.streamed("tell me"));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-type")).contains("text/event-stream");
        assertThat(answer.headers().firstValue("x-corral-decision")).contains("allow");
        assertThat(answer.body()).isEqualTo(Completions.joined(pieces));
        assertThat(upstream.cancelled).hasValue(0);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 64})
    void streamWhenSplitAnywhereAndWrittenInAnyWayPassesByteForByte(int size) {
        String stream = "\uFEFF: hello\n\n" + Completions.role().replace("\n", "\r\n") + ": ping\r\n\r\n"
                + "event: message\ndata: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"two lines \u00e9\"}}]}\n\n"
                + Completions.delta("with a carriage return").replace("\n", "\r")
                + "id: 7\n" + Completions.delta("and \uD83D\uDE00 an id")
                + Completions.stop() + Completions.DONE;
        byte[] bytes = stream.getBytes(UTF_8);
        List<byte[]> pieces = new ArrayList<>();
        for (int i = 0; i < bytes.length; i += size) {
            pieces.add(Arrays.copyOfRange(bytes, i, Math.min(bytes.length, i + size)));
        }
        upstream.streams(pieces);
        assertThat(gateway.chat(Completions.streamed("split " + size)).body()).isEqualTo(stream);
    }

    @Test
    void streamWhenItTurnsHarmfulIsCutOffAndTheUpstreamCancelled() {
        Sinks.Many<byte[]> held = Sinks.many().unicast().onBackpressureBuffer();
        upstream.streams(Flux.fromIterable(List.of(
                        Completions.role().getBytes(UTF_8),
                        Completions.delta(HARMLESS).getBytes(UTF_8),
                        Completions.delta("First you take <S9> SECRET and then you wait for a long time while it boils")
                                .getBytes(UTF_8)))
                .concatWith(held.asFlux()));
        HttpResponse<String> answer = gateway.chat(Completions.streamed("turn harmful"));
        assertThat(answer.body())
                .startsWith(Completions.role() + Completions.delta(HARMLESS))
                .contains("\"finish_reason\":\"content_filter\"")
                .endsWith(Completions.DONE)
                .doesNotContain("SECRET")
                .doesNotContain("First you");
        await().untilAsserted(() -> assertThat(upstream.cancelled).hasValue(1));
    }

    @Test
    void streamWhenTheFirstWindowIsHarmfulShowsNothingOfIt() {
        upstream.streams(Completions.stream("SECRET SECRET ", "SECRET <S1>", " SECRET"));
        HttpResponse<String> answer = gateway.chat(Completions.streamed("at once"));
        assertThat(answer.body())
                .contains("content_filter")
                .endsWith(Completions.DONE)
                .doesNotContain("SECRET");
    }

    @Test
    void streamWhenNoFrameCouldPassBeforeTheBlockHasTheDecisionInItsHeaders() {
        upstream.streams(List.of(
                Completions.delta("SECRET SECRET SECRET SECRET <S1>").getBytes(UTF_8),
                Completions.DONE.getBytes(UTF_8)));
        HttpResponse<String> answer = gateway.chat(Completions.streamed("no role"));
        assertThat(answer.headers().firstValue("x-corral-decision")).contains("block");
        assertThat(answer.body()).contains("content_filter").doesNotContain("SECRET");
    }

    @Test
    void streamWhenOnlyItsShortTailIsHarmfulIsCutOff() {
        upstream.streams(Completions.stream(HARMLESS, "<S9>"));
        assertThat(gateway.chat(Completions.streamed("tail")).body())
                .contains("content_filter")
                .doesNotContain("<S9>");
    }

    @Test
    void streamWhenThereIsNoDoneJudgesTheRestAndAddsNothing() {
        upstream.streams(List.of(
                Completions.role().getBytes(UTF_8), Completions.delta("short").getBytes(UTF_8)));
        assertThat(gateway.chat(Completions.streamed("no done")).body())
                .isEqualTo(Completions.role() + Completions.delta("short"));
        upstream.streams(List.of(
                Completions.role().getBytes(UTF_8), Completions.delta("<S9>").getBytes(UTF_8)));
        assertThat(gateway.chat(Completions.streamed("no done, harmful")).body())
                .contains("content_filter")
                .doesNotContain("<S9>");
    }

    @Test
    void streamWhenSomethingFollowsDoneKeepsItBack() {
        upstream.streams(List.of(
                (Completions.delta("fine") + Completions.DONE + Completions.delta("LATE <S9>")).getBytes(UTF_8)));
        assertThat(gateway.chat(Completions.streamed("late")).body())
                .isEqualTo(Completions.delta("fine") + Completions.DONE);
    }

    @Test
    void streamWhenTheUpstreamTellsAnErrorPassesItJudged() {
        String error = "data: {\"error\":{\"message\":\"out of memory\",\"type\":\"server_error\"}}\n\n";
        upstream.streams(List.of((Completions.delta(HARMLESS) + error).getBytes(UTF_8)));
        assertThat(gateway.chat(Completions.streamed("error")).body()).isEqualTo(Completions.delta(HARMLESS) + error);
        upstream.streams(
                List.of((Completions.delta(HARMLESS) + error.replace("out of memory", "OOM <S9>")).getBytes(UTF_8)));
        assertThat(gateway.chat(Completions.streamed("harmful error")).body())
                .contains("content_filter")
                .doesNotContain("OOM");
    }

    @Test
    void streamWhenAFrameIsNoJsonEndsWithAnErrorFrame() {
        upstream.streams(
                List.of((Completions.delta(HARMLESS) + "data: {\"choices\":\n\n" + Completions.DONE).getBytes(UTF_8)));
        assertThat(gateway.chat(Completions.streamed("broken frame")).body())
                .startsWith(Completions.delta(HARMLESS) + "data: {\"error\":{")
                .doesNotContain("[DONE]");
    }

    @Test
    void streamWhenTheConnectionBreaksAfterTheFirstByteEndsWithAnErrorFrame() {
        upstream.streams(Flux.just(Completions.delta(HARMLESS).getBytes(UTF_8))
                .concatWith(Mono.delay(Duration.ofMillis(300)).then(Mono.error(new IllegalStateException("reset")))));
        String body = gateway.chat(Completions.streamed("break late")).body();
        assertThat(body)
                .startsWith(Completions.delta(HARMLESS) + "data: {\"error\":{")
                .contains("closed the connection")
                .doesNotContain("[DONE]");
    }

    @Test
    void streamWhenTheConnectionBreaksBeforeTheFirstByteIsAnError() {
        upstream.answer((request, response) -> response.header("Content-Type", "text/event-stream")
                .sendHeaders()
                .then(Mono.fromRunnable(() -> request.withConnection(
                        connection -> connection.channel().close()))));
        HttpResponse<String> answer = gateway.chat(Completions.streamed("break early"));
        assertThat(answer.statusCode()).isEqualTo(502);
        assertThat(answer.body()).contains("upstream_failed");
    }

    @Test
    void streamWhenTheUpstreamAnswersWithJsonIsJudgedWhole() {
        upstream.says("not streamed");
        HttpResponse<String> answer = gateway.chat(Completions.streamed("json"));
        assertThat(answer.body()).isEqualTo(Completions.whole("not streamed"));
        upstream.says("not streamed <S9>");
        assertThat(gateway.chat(Completions.streamed("json")).body())
                .contains("content_filter")
                .doesNotContain("not streamed");
    }

    @Test
    void streamWhenEventsComeUnderTheNameOfJsonIsRefused() {
        upstream.answers(
                200,
                "application/json",
                Completions.joined(Completions.stream("<S9> hidden")).getBytes(UTF_8));
        HttpResponse<String> answer = gateway.chat(Completions.streamed("disguised"));
        assertThat(answer.statusCode()).isEqualTo(502);
        assertThat(answer.body()).doesNotContain("hidden");
    }

    @Test
    void streamWhenAWindowIsJudgedLeavesBeforeTheNextOneComes() throws Exception {
        Sinks.Many<byte[]> held = Sinks.many().unicast().onBackpressureBuffer();
        upstream.streams(held.asFlux());
        try (StreamClient client = StreamClient.post(gateway.port(), Completions.streamed("step by step"))) {
            held.tryEmitNext(Completions.delta(HARMLESS).getBytes(UTF_8));
            client.awaitBody(Completions.delta(HARMLESS));
            held.tryEmitNext(Completions.delta("held until fifty").getBytes(UTF_8));
            held.tryEmitNext(Completions.DONE.getBytes(UTF_8));
            held.tryEmitComplete();
            client.awaitBody(Completions.DONE);
        }
    }

    @Test
    void streamWhenTheClientGoesAwayCancelsUpstreamAndGuard() throws Exception {
        Sinks.Many<byte[]> held = Sinks.many().unicast().onBackpressureBuffer();
        upstream.streams(held.asFlux());
        int interrupted = guard.interrupted.get();
        try (StreamClient client = StreamClient.post(gateway.port(), Completions.streamed("going away"))) {
            held.tryEmitNext(Completions.delta(HARMLESS).getBytes(UTF_8));
            client.awaitBody(Completions.delta(HARMLESS));
            held.tryEmitNext(Completions.delta("<hold> while the guard looks at fifty characters more than it likes")
                    .getBytes(UTF_8));
            await().untilAsserted(() -> assertThat(guard.holding).hasValue(1));
        }
        await().untilAsserted(() -> assertThat(upstream.cancelled).hasValue(1));
        await().untilAsserted(() -> assertThat(guard.interrupted).hasValue(interrupted + 1));
    }

    @Test
    void streamWhenTheClientStopsReadingStopsTheUpstream() throws Exception {
        byte[] frame = Completions.delta("x".repeat(64 * 1024)).getBytes(UTF_8);
        int frames = 4_000; // 250 MB
        upstream.streams(Flux.range(0, frames).map(_ -> frame));
        try (StreamClient client = StreamClient.post(gateway.port(), Completions.streamed("does not read"))) {
            client.awaitBody("data: ");
            await().pollInterval(Duration.ofMillis(250))
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> {
                        int before = upstream.produced.get();
                        return before > 0 && stillAt(before);
                    });
            assertThat(upstream.produced.get()).isLessThan(frames / 4);
        }
        await().untilAsserted(() -> assertThat(upstream.cancelled).hasValue(1));
    }

    private static boolean stillAt(int produced) {
        try {
            await().during(Duration.ofSeconds(2))
                    .atMost(Duration.ofSeconds(3))
                    .until(() -> upstream.produced.get() == produced);
            return true;
        } catch (ConditionTimeoutException _) {
            return false;
        }
    }
}
