package dev.corral.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What each outcome of a policy looks like to a client; and routes that people write. */
@ExtendWith(LeakCheck.class)
class PolicyOutcomeTests {

    private static final String DESK = """
            policy: desk
            version: 3
            rules:
              - { id: crisis, when: { hazard: S11 }, then: respond, message: "You are not alone." }
              - { id: heated, when: { hazard: S10 }, then: flag }
              - { id: medical, when: { hazard: S6 }, then: allow }
              - { id: rest, when: { hazard: any }, then: block, message: "Not here." }
            block: { style: error }
            guards: { text: { timeout: 1s, unavailable: error } }
            streaming: { window: 50 characters, first-window: 20 characters, lookback: all }
            """;

    private static final String LENIENT = """
            policy: lenient
            version: 1
            rules:
              - { id: rest, when: { hazard: any }, then: flag }
            unscanned: flag
            guards: { text: { timeout: 300ms, unavailable: flag } }
            """;

    private static final ScriptedGuard guard = new ScriptedGuard();
    private static final ScriptedUpstream upstream = new ScriptedUpstream();
    private static TestGateway gateway;

    @BeforeAll
    static void start(@TempDir Path policies) throws IOException {
        Files.writeString(policies.resolve("desk.yaml"), DESK);
        Files.writeString(policies.resolve("lenient.yaml"), LENIENT);
        String route = "spring.cloud.gateway.server.webflux.routes[0].";
        gateway = TestGateway.start(
                guard,
                Map.of(
                        "corral.upstream.url",
                        upstream.url(),
                        "corral.policy.file",
                        policies.resolve("desk.yaml").toString(),
                        "corral.policy.directory",
                        policies.toString(),
                        "corral.guard.lanes",
                        "1",
                        "corral.guard.queue",
                        "1",
                        route + "id",
                        "team",
                        route + "uri",
                        upstream.url(),
                        route + "predicates[0]",
                        "Path=/team/**",
                        route + "filters[0]",
                        "Moderate=lenient",
                        route + "filters[1]",
                        "StripPrefix=1"));
    }

    @AfterAll
    static void stop() {
        gateway.close();
        upstream.close();
    }

    @BeforeEach
    void reset() {
        upstream.reset();
        upstream.says("Fine.");
    }

    private static HttpResponse<String> team(String body) {
        return gateway.send(gateway.request("/team/v1/chat/completions")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body)));
    }

    private static void assertDecision(HttpResponse<String> answer, String decision) {
        assertThat(answer.headers().firstValue("x-corral-decision"))
                .as(answer.body())
                .contains(decision);
    }

    @Test
    void postWhenAllowedByARulePasses() {
        HttpResponse<String> answer = gateway.chat(Completions.request("which pill? <S6>"));
        assertDecision(answer, "allow");
        assertThat(answer.body()).isEqualTo(Completions.whole("Fine."));
        assertThat(answer.headers().firstValue("x-corral-policy").orElseThrow()).startsWith("desk@3+");
    }

    @Test
    void postWhenFlaggedPassesMarked() {
        HttpResponse<String> answer = gateway.chat(Completions.request("idiots! <S10>"));
        assertDecision(answer, "flag");
        assertThat(answer.body()).isEqualTo(Completions.whole("Fine."));
    }

    @Test
    void postWhenThePolicyRespondsSaysItsMessage() {
        HttpResponse<String> answer = gateway.chat(Completions.request("I cannot go on <S11>"));
        assertDecision(answer, "respond");
        assertThat(answer.body()).contains("You are not alone.").contains("\"finish_reason\":\"stop\"");
        assertThat(gateway.chat(Completions.streamed("I cannot go on <S11>")).body())
                .contains("You are not alone.")
                .endsWith(Completions.DONE);
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void postWhenThePolicyRespondsToAnAnswerReplacesIt() {
        upstream.says("do it <S11>");
        assertThat(gateway.chat(Completions.request("hello")).body())
                .contains("You are not alone.")
                .doesNotContain("do it");
        upstream.streams(Completions.stream("Twenty characters ok ", "do it <S11>"));
        assertThat(gateway.chat(Completions.streamed("hello")).body())
                .contains("Twenty")
                .contains("You are not alone.")
                .endsWith(Completions.DONE)
                .doesNotContain("do it");
    }

    @Test
    void postWhenBlockedInTheStyleOfErrorsIsAnErrorThatNobodyRetries() {
        HttpResponse<String> answer = gateway.chat(Completions.request("<S9>"));
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("content_policy_violation").contains("Not here.");
        assertDecision(answer, "block");
        upstream.says("<S9>");
        assertThat(gateway.chat(Completions.request("hello")).statusCode()).isEqualTo(400);
    }

    @Test
    void streamWhenBlockedInTheStyleOfErrorsIsAnErrorBeforeAndAnErrorFrameAfterTheFirstByte() {
        upstream.streams(List.of((Completions.delta("SECRET <S9>") + Completions.DONE).getBytes(UTF_8)));
        HttpResponse<String> whole = gateway.chat(Completions.streamed("hello"));
        assertThat(whole.statusCode()).isEqualTo(400);
        assertThat(whole.headers().firstValue("content-type")).contains("application/json");
        upstream.streams(Completions.stream("Twenty characters ok ", "SECRET <S9>"));
        HttpResponse<String> frame = gateway.chat(Completions.streamed("hello"));
        assertThat(frame.statusCode()).isEqualTo(200);
        assertThat(frame.body())
                .contains("Twenty")
                .contains("content_policy_violation")
                .doesNotContain("SECRET")
                .doesNotContain("[DONE]");
    }

    @Test
    void postWhenTheGuardIsTooSlowIsUnavailableAndSaysWhenToComeBack() {
        int interrupted = guard.interrupted.get();
        HttpResponse<String> answer = gateway.chat(Completions.request("<hold>"));
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).contains("guard_unavailable");
        assertThat(answer.headers().firstValue("Retry-After")).isPresent();
        assertDecision(answer, "unavailable");
        await().untilAsserted(() -> assertThat(guard.interrupted).hasValue(interrupted + 1));
    }

    @Test
    void postWhenTheGuardFailsIsUnavailable() {
        HttpResponse<String> answer = gateway.chat(Completions.request("<fail>"));
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).doesNotContain("scripted failure");
    }

    @Test
    void streamWhenTheGuardFailsInTheMiddleEndsWithAnErrorFrame() {
        upstream.streams(Completions.stream("Twenty characters ok ", "SECRET <mute>"));
        assertThat(gateway.chat(Completions.streamed("hello")).body())
                .contains("Twenty")
                .contains("guard_unavailable")
                .doesNotContain("SECRET")
                .doesNotContain("[DONE]");
    }

    @Test
    void postWhenTooManyWaitIsUnavailableAtOnce() {
        Gauge queue =
                gateway.bean(MeterRegistry.class).get("corral.guard.queue").gauge();
        CompletableFuture<HttpResponse<String>> busy =
                CompletableFuture.supplyAsync(() -> gateway.chat(Completions.request("<hold> 1")));
        await().pollInterval(Duration.ofMillis(2)).until(() -> guard.holding.get() == 1);
        CompletableFuture<HttpResponse<String>> waiting =
                CompletableFuture.supplyAsync(() -> gateway.chat(Completions.request("waits")));
        await().pollInterval(Duration.ofMillis(2)).until(() -> queue.value() == 1);
        HttpResponse<String> refused = gateway.chat(Completions.request("too much"));
        assertThat(refused.statusCode()).isEqualTo(503);
        guard.release();
        assertThat(busy.join().statusCode()).isEqualTo(200);
        assertThat(waiting.join().statusCode()).isEqualTo(200);
    }

    @Test
    void postWhenARouteHasItsOwnPolicyFollowsThat() {
        HttpResponse<String> answer = team(Completions.request("<S9>"));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertDecision(answer, "flag");
        assertThat(answer.headers().firstValue("x-corral-policy").orElseThrow()).startsWith("lenient@1+");
        assertThat(upstream.last().uri()).isEqualTo("/v1/chat/completions");
    }

    @Test
    void postWhenThePolicyLetsContentWithoutAVerdictPassFlagsIt() {
        assertDecision(team(Completions.request("<mute>")), "flag");
        assertDecision(team("""
                {"model":"m","messages":[{"role":"user","content":[
                  {"type":"image_url","image_url":{"url":"https://example.com/cat.png"}}]}]}"""), "flag");
    }
}
