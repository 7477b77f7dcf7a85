package dev.corral.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.corral.gateway.audit.AuditEvent;
import dev.corral.gateway.audit.AuditEvent.Decided;
import dev.corral.gateway.audit.AuditEvent.NoVerdict;
import dev.corral.gateway.audit.AuditEvent.Scores;
import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.RecordingAuditSink;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import dev.corral.policies.policy.AuditDetail;
import dev.corral.policies.policy.ContentSource;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Direction;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Exactly one event for each exchange, however it ends, and in it no more than the policy lets be kept; tenants. */
@ExtendWith(LeakCheck.class)
class AuditTests {

    private static final String DESK = """
            policy: desk
            version: 3
            hazards: { cards: { name: Cards, numbers: card } }
            rules:
              - { id: kept, when: { hazard: S1 }, then: block, audit: text }
              - { id: hashed, when: { hazard: S2 }, then: block, audit: hash }
              - { id: masked, when: { hazard: [S3, cards] }, then: flag, audit: redacted }
              - { id: rest, when: { hazard: any }, then: block }
            """;

    private final ScriptedGuard guard = new ScriptedGuard();
    private final ScriptedUpstream upstream = new ScriptedUpstream();
    private final RecordingAuditSink audit = new RecordingAuditSink();

    @TempDir
    private Path folder;

    private TestGateway gateway;

    @BeforeEach
    void start() throws IOException {
        Files.writeString(folder.resolve("desk.yaml"), DESK);
        Files.writeString(
                folder.resolve("acme.yaml"),
                "policy: acme\nversion: 1\napplies-to: { tenant: acme }\nthresholds: { S4: 0.2 }\n");
        Files.writeString(
                folder.resolve("asked.yaml"), "policy: asked\nversion: 1\napplies-to: { route: moderations }\n");
        gateway = TestGateway.start(
                guard,
                audit,
                Map.of(
                        "corral.upstream.url",
                        upstream.url(),
                        "corral.policy.file",
                        folder.resolve("desk.yaml").toString(),
                        "corral.policy.directory",
                        folder.toString(),
                        "corral.tenant.header",
                        "x-tenant"));
    }

    @AfterEach
    void stop() {
        guard.release();
        gateway.close();
        upstream.close();
    }

    @Test
    void recordWhenAnswerPassesHasBothDirectionsAndNoText() {
        upstream.says("harmless words");
        HttpResponse<String> answer = chat("a question");

        AuditEvent event = event();
        assertThat(event.exchange())
                .isEqualTo(answer.headers().firstValue("x-corral-exchange").orElseThrow());
        assertThat(event.policy())
                .startsWith("desk@3+")
                .isEqualTo(answer.headers().firstValue("x-corral-policy").orElseThrow());
        assertThat(event.status()).isEqualTo(200);
        assertThat(event.ending()).isEqualTo("complete");
        assertThat(event.decided())
                .extracting(Decided::direction, Decided::outcome, Decided::guard, Decided::detail)
                .containsExactly(
                        tuple(Direction.PROMPT, Outcome.ALLOW, "scripted", AuditDetail.NONE),
                        tuple(Direction.COMPLETION, Outcome.ALLOW, "scripted", AuditDetail.NONE));
        assertThat(event.decided().getFirst().said()).singleElement().satisfies(said -> {
            assertThat(said.kept()).isEmpty();
            assertThat(said.sources()).containsExactly(ContentSource.USER);
            assertThat(said.verdicts()).singleElement().isInstanceOfSatisfying(Scores.class, scores -> {
                assertThat(scores.hazards()).containsKey("S9");
                assertThat(scores.coverage().characters().total()).isEqualTo("a question".length());
            });
        });
        assertThat(event.toString()).doesNotContain("a question", "harmless words");
    }

    @Test
    void recordWhenRulesSayWhatMayBeKeptKeepsThat() {
        chat("secret one <S1>");
        assertThat(decided().rules()).containsExactly("kept");
        assertThat(decided().said().getFirst().kept()).contains("secret one <S1>");
        audit.events.clear();

        chat("secret two <S2>");
        assertThat(decided().said().getFirst().kept())
                .hasValueSatisfying(hash -> assertThat(hash).matches("[0-9a-f]{64}"));
        audit.events.clear();

        upstream.says("fine");
        chat("pay with 4111 1111 1111 1111 now <S3>");
        assertThat(decided().detail()).isEqualTo(AuditDetail.REDACTED);
        assertThat(decided().said().getFirst().kept())
                .hasValueSatisfying(
                        text -> assertThat(text).startsWith("pay with ").doesNotContain("4111"));
        audit.events.clear();

        chat("both <S1> and <S2>");
        assertThat(decided().detail()).isEqualTo(AuditDetail.HASH);
        audit.events.clear();

        chat("secret four <S9>");
        assertThat(decided().hazards()).containsExactly("S9");
        assertThat(event().toString()).doesNotContain("secret four");
    }

    @Test
    void recordWhenExchangeFailsHasItOnce() {
        gateway.chat("{");
        assertThat(event().decided()).isEmpty();
        assertThat(event().status()).isEqualTo(400);
        assertThat(event().ending()).isNotEqualTo("complete");
        audit.events.clear();

        chat("no <mute> verdict");
        assertThat(decided().outcome()).isEqualTo(Outcome.UNAVAILABLE);
        assertThat(decided().said().getFirst().verdicts()).singleElement().isInstanceOf(NoVerdict.class);
        assertThat(event().status()).isEqualTo(503);
        audit.events.clear();

        upstream.close();
        assertThat(chat("nobody there").statusCode()).isEqualTo(502);
        assertThat(event().ending()).isEqualTo("upstream_unreachable");
    }

    @Test
    void recordWhenClientGoesAwaySaysSo() {
        CompletableFuture<HttpResponse<String>> held =
                gateway.sendAsync(Completions.request("wait <hold>").getBytes(StandardCharsets.UTF_8));
        await().until(() -> guard.holding.get() == 1);
        held.cancel(true);

        assertThat(event().ending()).isEqualTo("client went away");
        assertThat(event().decided()).isEmpty();
    }

    @Test
    void filterWhenAuditIsClosedRefusesAndAsksNobody() {
        audit.open = false;
        HttpResponse<String> answer = chat("anything");

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).contains("audit_unavailable");
        assertThat(answer.headers().firstValue("retry-after")).isPresent();
        assertThat(moderations("anything", "").statusCode()).isEqualTo(503);
        assertThat(audit.events).isEmpty();
        assertThat(guard.asked).isEmpty();
    }

    @Test
    void filterWhenTenantIsNamedTakesItsPolicy() {
        upstream.says("fine");
        HttpResponse<String> answer = gateway.send(chatOf("acme", "mild <S4:0.3>"));
        assertThat(answer.headers().firstValue("x-corral-policy").orElse("")).startsWith("acme@1+");
        assertThat(answer.headers().firstValue("x-corral-decision")).contains("block");
        assertThat(event().tenant()).isEqualTo("acme");
        audit.events.clear();

        assertThat(chat("mild <S4:0.3>").headers().firstValue("x-corral-decision"))
                .contains("allow");
        assertThat(event().tenant()).isEmpty();
    }

    @Test
    void filterWhenTenantIsNoNameIsRefused() {
        HttpResponse<String> answer = gateway.send(chatOf("a b", "anything"));
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("invalid_tenant", "x-tenant");
        assertThat(gateway.send(chatOf("a", "anything").header("x-tenant", "b")).statusCode())
                .isEqualTo(400);
        assertThat(guard.asked).isEmpty();
    }

    @Test
    void handleWhenModerationsAreAskedForTakesThePolicyOfTenantOrEndpoint() {
        assertThat(moderations("mild <S4:0.3>", "acme")
                        .headers()
                        .firstValue("x-corral-policy")
                        .orElse(""))
                .startsWith("acme@1+");
        assertThat(event().decided()).hasSize(1);
        assertThat(event().route()).isEqualTo("moderations");
        audit.events.clear();

        assertThat(moderations("mild <S4:0.3>", "")
                        .headers()
                        .firstValue("x-corral-policy")
                        .orElse(""))
                .startsWith("asked@1+");
        assertThat(event().policy()).startsWith("asked@1+");
    }

    private HttpResponse<String> chat(String prompt) {
        return gateway.chat(Completions.request(prompt));
    }

    private HttpRequest.Builder chatOf(String tenant, String prompt) {
        return gateway.request("/v1/chat/completions")
                .header("Content-Type", "application/json")
                .header("x-tenant", tenant)
                .POST(BodyPublishers.ofString(Completions.request(prompt)));
    }

    private HttpResponse<String> moderations(String text, String tenant) {
        var request = gateway.request("/v1/moderations")
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"input\":\"" + text + "\"}"));
        return gateway.send(tenant.isEmpty() ? request : request.header("x-tenant", tenant));
    }

    /** The only one. */
    private AuditEvent event() {
        await().until(() -> !audit.events.isEmpty());
        assertThat(audit.events).hasSize(1);
        return audit.events.getFirst();
    }

    private Decided decided() {
        List<Decided> decided = event().decided();
        return decided.getFirst();
    }
}
