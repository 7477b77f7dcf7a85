package dev.corral.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.corral.gateway.exchange.ExchangeLog;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

/** What operators see, and moderations for whoever asks. */
@ExtendWith(LeakCheck.class)
class OperationsTests {

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

    private static HttpResponse<String> moderations(String body) {
        return gateway.send(gateway.request("/v1/moderations")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body)));
    }

    private static String metric(String line) {
        return gateway.get("/actuator/prometheus")
                .body()
                .lines()
                .filter(metric -> metric.startsWith(line))
                .findFirst()
                .orElse(line + " none");
    }

    @Test
    void readinessWhenStartedNamesGuardAndPolicy() {
        HttpResponse<String> answer = gateway.get("/actuator/health/readiness");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).contains("\"guard\":\"scripted\"").contains("\"policy\":\"default@1+");
        assertThat(gateway.get("/actuator/health/liveness").statusCode()).isEqualTo(200);
        assertThat(gateway.get("/actuator/env").statusCode()).isEqualTo(404);
    }

    @Test
    void metricsWhenExchangesAreOverCountThemWithoutTheirText() {
        upstream.streams(
                Completions.stream("An answer of some length, surely more than sixty characters, is it not?", "<S9>"));
        gateway.chat(Completions.streamed("count me"));
        gateway.chat(Completions.streamed("count me"));
        await().untilAsserted(() -> assertThat(metric("corral_decisions_total{application=\"corral\","
                        + "decision=\"block\",direction=\"completion\",policy=\"default\"}"))
                .endsWith(" 2.0"));
        assertThat(metric("corral_guard_assess_seconds_count{application=\"corral\",cached=\"true\",guard=\"scripted\","
                        + "outcome=\"scored\"}"))
                .doesNotContain("none");
        assertThat(metric("corral_windows_total{application=\"corral\",decision=\"block\",reason=\"end\"}"))
                .endsWith(" 2.0");
        assertThat(metric("corral_windows_characters_total{application=\"corral\",fate=\"withheld\"}"))
                .endsWith(" 8.0");
        assertThat(metric("corral_guard_queue")).endsWith(" 0.0");
        assertThat(gateway.get("/actuator/prometheus").body()).doesNotContain("count me");
    }

    @Test
    void logWhenAnExchangeIsOverHasOneLineWithoutItsText() {
        Logger logger = (Logger) LoggerFactory.getLogger(ExchangeLog.class);
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        logger.addAppender(lines);
        try {
            HttpResponse<String> answer = gateway.chat(Completions.request("PRIVATE <S9>"));
            String id = answer.headers().firstValue("x-corral-exchange").orElseThrow();
            await().until(() -> lines.list.stream()
                    .anyMatch(line -> line.getFormattedMessage().contains(id)));
            assertThat(lines.list)
                    .extracting(ILoggingEvent::getFormattedMessage)
                    .filteredOn(line -> line.contains(id))
                    .singleElement()
                    .asString()
                    .contains("prompt block", "rules [everything]", "status 200")
                    .doesNotContain("PRIVATE");
        } finally {
            logger.detachAppender(lines);
        }
    }

    @Test
    void assessWhenAskedForOnceMoreRemembers() {
        upstream.says("Remembered.");
        gateway.chat(Completions.request("remember me"));
        int asked = guard.asked.size();
        gateway.chat(Completions.request("remember me"));
        assertThat(guard.asked).hasSize(asked);
        assertThat(guard.threads).allMatch(thread -> thread.startsWith("guard-"));
    }

    @Test
    void moderationsWhenGivenATextScoreIt() {
        HttpResponse<String> answer = moderations("{\"input\":\"how to <S9:0.8>\"}");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body())
                .contains("\"model\":\"scripted\"", "\"flagged\":true", "\"Indiscriminate Weapons\":true")
                .contains("\"Indiscriminate Weapons\":0.8", "\"S9\":0.8", "\"unsafe_score\":0.80");
        assertThat(answer.headers().firstValue("x-corral-exchange")).isPresent();
    }

    @Test
    void moderationsWhenGivenSeveralTextsHaveAResultForEach() {
        HttpResponse<String> answer = moderations("{\"input\":[\"hello\",\"<S1>\",\"world\"]}");
        assertThat(answer.body().split("\"flagged\":", -1)).hasSize(4);
        assertThat(answer.body().split("\"flagged\":true", -1)).hasSize(2);
    }

    @Test
    void moderationsWhenMalformedOrWithoutVerdictAreErrors() {
        assertThat(moderations("{\"input\":7}").statusCode()).isEqualTo(400);
        assertThat(moderations("").statusCode()).isEqualTo(400);
        HttpResponse<String> mute = moderations("{\"input\":\"<mute>\"}");
        assertThat(mute.statusCode()).isEqualTo(503);
        assertThat(mute.body()).contains("guard_unavailable");
        assertThat(gateway.get("/v1/moderations").statusCode()).isEqualTo(405);
    }
}
