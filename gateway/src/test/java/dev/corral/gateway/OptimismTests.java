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
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import reactor.core.publisher.Flux;

/** Guard and upstream at once: what leaves, when, and what becomes of work that was for nothing. */
@ExtendWith(LeakCheck.class)
class OptimismTests {

    private static final String POLICY = """
            policy: quick
            version: 1
            rules:
              - { id: heated, when: { hazard: S10 }, then: flag }
              - { id: rest, when: { hazard: any }, then: block }
            optimistic: %s
            """;
    private static final String TOOL =
            "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"pay\"}}],\"messages\"";

    private static final ScriptedGuard guard = new ScriptedGuard();
    private static final ScriptedUpstream upstream = new ScriptedUpstream();
    private static TestGateway gateway;
    private static TestGateway daring;

    @BeforeAll
    static void start() {
        gateway = TestGateway.start(guard, upstream, POLICY.formatted("true"));
        daring = TestGateway.start(guard, upstream, POLICY.formatted("{ tools: true }"));
    }

    @AfterAll
    static void stop() {
        gateway.close();
        daring.close();
        upstream.close();
    }

    @BeforeEach
    void reset() {
        upstream.reset();
        guard.interrupted.set(0);
    }

    private static CompletableFuture<HttpResponse<String>> ask(TestGateway asked, String request) {
        return CompletableFuture.supplyAsync(() -> asked.chat(request));
    }

    private static HttpResponse<String> get(CompletableFuture<HttpResponse<String>> answer) throws Exception {
        return answer.get(20, TimeUnit.SECONDS);
    }

    private static void awaitBothAtWork() {
        await().until(() -> guard.holding.get() == 1 && upstream.received.size() == 1);
    }

    @Test
    void postWhenThePromptMayPassAnswersWithWhatCameMeanwhile() throws Exception {
        upstream.says("Quick.");
        double kept = gateway.metric("corral_optimistic_total", "kept");
        var answer = ask(gateway, Completions.request("<hold> kept"));
        awaitBothAtWork();
        assertThat(answer).isNotDone();
        guard.release();
        assertThat(get(answer).body()).isEqualTo(Completions.whole("Quick."));
        assertThat(get(answer).headers().firstValue("x-corral-decision")).contains("allow");
        assertThat(upstream.received).hasSize(1);
        assertThat(gateway.metric("corral_optimistic_total", "kept")).isEqualTo(kept + 1);
    }

    @Test
    void postWhenThePromptIsBlockedRefusesAndCountsWhatWasForNothing() throws Exception {
        upstream.answer((request, response) -> response.status(201)
                .header("Content-Type", "application/json")
                .header("x-upstream", "was here")
                .sendString(Flux.just(Completions.whole("In vain, all this."))));
        double characters = gateway.metric("corral_optimistic_wasted_total", "characters");
        double tokens = gateway.metric("corral_optimistic_wasted_total", "unit=\"tokens\"");
        var answer = ask(gateway, Completions.request("<hold> wasted <S9>"));
        awaitBothAtWork();
        await().pollDelay(Duration.ofMillis(200)).until(() -> true);
        guard.release();
        assertThat(get(answer).statusCode()).isEqualTo(200);
        assertThat(get(answer).body()).contains("content_filter").doesNotContain("In vain");
        assertThat(get(answer).headers().firstValue("x-upstream")).isEmpty();
        assertThat(get(answer).headers().firstValue("x-corral-decision")).contains("block");
        assertThat(gateway.metric("corral_optimistic_wasted_total", "characters") - characters)
                .isEqualTo("In vain, all this.".length());
        assertThat(gateway.metric("corral_optimistic_wasted_total", "bytes")).isPositive();
        assertThat(gateway.metric("corral_optimistic_wasted_total", "unit=\"tokens\"") - tokens)
                .as("as the upstream's usage says")
                .isEqualTo(1);
    }

    @Test
    void streamWhenThePromptMayPassIsByteForByteAndNotAByteEarlier() throws Exception {
        List<byte[]> stream = Completions.stream("First words, ", "and some more of them, ".repeat(9), "the end");
        upstream.streams(stream);
        var answer = ask(gateway, Completions.streamed("<hold> streamed"));
        awaitBothAtWork();
        await().until(() -> upstream.produced.get() == stream.size());
        assertThat(answer).isNotDone();
        guard.release();
        assertThat(get(answer).body()).isEqualTo(Completions.joined(stream));
    }

    @Test
    void streamWhenThePromptIsBlockedRefusesAndCancelsTheUpstream() throws Exception {
        upstream.streams(Flux.fromIterable(Completions.stream("Once upon", " a time"))
                .take(3)
                .concatWith(Flux.never()));
        double characters = gateway.metric("corral_optimistic_wasted_total", "characters");
        double tokens = gateway.metric("corral_optimistic_wasted_total", "estimated-tokens");
        var answer = ask(gateway, Completions.streamed("<hold> in vain <S9>"));
        awaitBothAtWork();
        await().until(() -> upstream.produced.get() == 3);
        await().pollDelay(Duration.ofMillis(200)).until(() -> true);
        guard.release();
        assertThat(get(answer).headers().firstValue("Content-Type").orElseThrow())
                .startsWith("text/event-stream");
        assertThat(get(answer).body())
                .contains("content_filter")
                .endsWith("data: [DONE]\n\n")
                .doesNotContain("Once");
        await().untilAsserted(() -> assertThat(upstream.cancelled).hasValue(1));
        assertThat(gateway.metric("corral_optimistic_wasted_total", "characters") - characters)
                .isEqualTo("Once upon a time".length());
        assertThat(gateway.metric("corral_optimistic_wasted_total", "estimated-tokens") - tokens)
                .as("a token for each frame that says something")
                .isEqualTo(2);
    }

    @Test
    void postWhenTheUpstreamFailsFirstTellsTheVerdictAllTheSame() throws Exception {
        upstream.answers(500, "text/html", "<h1>down</h1>".getBytes(UTF_8));
        var blocked = ask(gateway, Completions.request("<hold> failing <S9>"));
        awaitBothAtWork();
        assertThat(blocked).isNotDone();
        guard.release();
        assertThat(get(blocked).statusCode()).isEqualTo(200);
        assertThat(get(blocked).body()).contains("content_filter");
        upstream.reset();
        var allowed = ask(gateway, Completions.request("<hold> failing too"));
        awaitBothAtWork();
        guard.release();
        assertThat(get(allowed).statusCode()).isEqualTo(500);
        assertThat(get(allowed).headers().firstValue("x-corral-decision")).contains("allow");
    }

    @Test
    void postWhenTheVerdictIsKnownAlreadyDoesNotAskTheUpstreamInVain() {
        upstream.says("Never.");
        gateway.chat(Completions.request("known <S9>"));
        upstream.reset();
        assertThat(gateway.chat(Completions.request("known <S9>")).body()).contains("content_filter");
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void postWhenTheGuardHasNoVerdictLetsNothingOut() {
        upstream.says("Unjudged.");
        HttpResponse<String> answer = gateway.chat(Completions.request("<mute>"));
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).contains("guard_unavailable").doesNotContain("Unjudged");
    }

    @Test
    void postWhenTheAnswerIsHarmfulIsRefusedThoughThePromptPasses() {
        upstream.says("harm <S9>");
        assertThat(gateway.chat(Completions.request("nice")).body())
                .contains("content_filter")
                .doesNotContain("harm <S9>");
    }

    @Test
    void postWhenThereAreToolsWaitsForTheVerdictUnlessThePolicyDares() throws Exception {
        upstream.says("Paid.");
        var careful = ask(gateway, Completions.request("<hold> tools").replace("\"messages\"", TOOL));
        await().until(() -> guard.holding.get() == 1);
        await().pollDelay(Duration.ofMillis(300)).until(() -> true);
        assertThat(upstream.received).isEmpty();
        guard.release();
        assertThat(get(careful).body()).contains("Paid.");
        upstream.reset();
        var quick = ask(daring, Completions.request("<hold> tools again").replace("\"messages\"", TOOL));
        awaitBothAtWork();
        guard.release();
        assertThat(get(quick).body()).contains("Paid.");
    }

    @Test
    void postWhenTheClientLeavesFreesGuardAndUpstream() throws Exception {
        upstream.streams(Flux.just(Completions.role().getBytes(UTF_8)).concatWith(Flux.never()));
        try (StreamClient _ = StreamClient.post(gateway.port(), Completions.streamed("<hold> leaving"))) {
            awaitBothAtWork();
            await().until(() -> upstream.produced.get() == 1);
        }
        await().atMost(Duration.ofSeconds(1)).untilAsserted(() -> {
            assertThat(upstream.cancelled).hasValue(1);
            assertThat(guard.interrupted).hasValue(1);
            assertThat(guard.holding).hasValue(0);
        });
    }
}
