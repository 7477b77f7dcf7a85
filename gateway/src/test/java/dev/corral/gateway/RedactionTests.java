package dev.corral.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.moderation.Shadows;
import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.LeakCheck;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What is redacted of requests, whole answers and streams; shadows; messages in the client's language. */
@ExtendWith(LeakCheck.class)
class RedactionTests {

    private static final String POLICY = """
            policy: cards
            version: 1
            shadow: [strict]
            hazards:
              cards: { name: Card numbers, numbers: card, replacement: "[card]" }
              names: { name: Code names, keywords: [falcon nine] }
            rules:
              - { id: no-cards, when: { hazard: cards }, then: redact }
              - { id: no-names, when: { hazard: names, source: user }, then: block, message: { en: "No.", de: "Nein." } }
              - { id: names, when: { hazard: names }, then: redact }
              - { id: rest, when: { hazard: any }, then: block }
            streaming: { window: 50 characters, first-window: 20 characters, lookback: all }
            """;

    private static final String STRICT = """
            policy: strict
            version: 2
            hazards:
              cards: { name: Card numbers, numbers: card }
            rules:
              - { id: none, when: { hazard: cards }, then: block }
            """;

    private static final String CARD = "4111 1111 1111 1111";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private static final ScriptedGuard guard = new ScriptedGuard();
    private static final ScriptedUpstream upstream = new ScriptedUpstream();
    private static TestGateway gateway;

    @BeforeAll
    static void start(@TempDir Path policies) throws IOException {
        Files.writeString(policies.resolve("cards.yaml"), POLICY);
        Files.writeString(policies.resolve("strict.yaml"), STRICT);
        gateway = TestGateway.start(
                guard,
                Map.of(
                        "corral.upstream.url",
                        upstream.url(),
                        "corral.policy.file",
                        policies.resolve("cards.yaml").toString(),
                        "corral.policy.directory",
                        policies.toString()));
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
    void requestWhenItHasACardReachesTheUpstreamWithoutIt() {
        upstream.says("ok");
        HttpResponse<String> answer = gateway.chat("""
                {"model":"llama","messages":[
                 {"role":"user","content":"pay with 4111 1111 1111 1111, 🐎 please"},
                 {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":
                   {"name":"pay","arguments":"{\\"card\\":\\"4111111111111111\\"}"}}]},
                 {"role":"tool","tool_call_id":"c1","content":"paid by 4111-1111-1111-1111"}],"temperature":0.5}""");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("x-corral-decision")).contains("redact");
        String sent = new String(upstream.last().body(), UTF_8);
        assertThat(upstream.last().headers().get("Content-Length"))
                .isEqualTo(Integer.toString(upstream.last().body().length));
        JsonNode body = JSON.readTree(sent);
        assertThat(body.at("/messages/0/content").stringValue()).isEqualTo("pay with [card], 🐎 please");
        assertThat(body.at("/messages/1/tool_calls/0/function/arguments").stringValue())
                .isEqualTo("{\"card\":\"[card]\"}");
        assertThat(body.at("/messages/2/content").stringValue()).isEqualTo("paid by [card]");
        assertThat(body.at("/temperature").doubleValue()).isEqualTo(0.5);
        assertThat(body.at("/model").stringValue()).isEqualTo("llama");
    }

    @Test
    void requestWhenACardIsSpreadOverTwoPartsIsRefused() {
        HttpResponse<String> answer = gateway.chat("""
                {"model":"llama","messages":[{"role":"user","content":[
                 {"type":"text","text":"pay with 4111 1111 "},{"type":"text","text":"1111 1111"}]}]}""");

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("content_policy_violation", "cannot be taken out");
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void requestWhenNothingIsRedactedKeepsItsBytes() {
        upstream.says("ok");
        String request = "{ \"model\":\"llama\",  \"messages\":[{\"role\":\"user\",\"content\":\"hi 4111 1111\"}]}";
        gateway.chat(request);

        assertThat(new String(upstream.last().body(), UTF_8)).isEqualTo(request);
    }

    @Test
    void requestWhenItIsBlockedAnswersInTheClientsLanguage() {
        HttpResponse<String> answer = gateway.send(gateway.request("/v1/chat/completions")
                .header("Content-Type", "application/json")
                .header("Accept-Language", "fr;q=0.5, de-CH")
                .POST(BodyPublishers.ofString(Completions.request("what is Falcon Nine?"))));

        assertThat(answer.body()).contains("Nein.").contains("content_filter");
        assertThat(upstream.received).isEmpty();
    }

    @Test
    void answerWhenItHasACardLosesItAndNothingElse() {
        upstream.says("The card is " + CARD + ". Falcon Nine é🐎.");
        HttpResponse<String> answer = gateway.chat(Completions.request("which card"));

        JsonNode body = JSON.readTree(answer.body());
        assertThat(body.at("/choices/0/message/content").stringValue())
                .isEqualTo("The card is [card]. [Code names] é🐎.");
        assertThat(body.at("/usage/total_tokens").intValue()).isEqualTo(2);
        assertThat(answer.headers().firstValue("content-length"))
                .contains(Integer.toString(answer.body().getBytes(UTF_8).length));
        assertThat(answer.headers().firstValue("x-corral-decision")).contains("redact");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 8, 13, 40, 200})
    void streamWhenACardComesInPiecesLosesAllOfIt(int size) {
        String text = "First some words that are harmless. 🐎 The card is 4111 1111 1111 1111, and 4111 1111 is not. "
                + "Falcon nine, falcon eight, and once more 4111-1111-1111-1111";
        List<String> pieces = new ArrayList<>();
        for (int at = 0; at < text.length(); ) {
            int end = Math.min(text.length(), at + size);
            end += end < text.length() && Character.isLowSurrogate(text.charAt(end)) ? 1 : 0;
            pieces.add(text.substring(at, end));
            at = end;
        }
        upstream.streams(Completions.stream(pieces.toArray(String[]::new)));

        HttpResponse<String> answer = gateway.chat(Completions.streamed("in pieces of " + size));

        assertThat(said(answer.body()))
                .isEqualTo("First some words that are harmless. 🐎 The card is [card], and 4111 1111 is not. "
                        + "[Code names], falcon eight, and once more [card]");
        assertThat(answer.body()).endsWith(Completions.DONE).contains("\"finish_reason\":\"stop\"");
    }

    @Test
    void streamWhenTheUpstreamJustEndsStillGivesWhatWasHeldBack() {
        upstream.streams(List.of(
                Completions.role().getBytes(UTF_8),
                Completions.delta("It ends with " + CARD).getBytes(UTF_8)));

        assertThat(said(gateway.chat(Completions.streamed("just end")).body())).isEqualTo("It ends with [card]");
    }

    @Test
    void streamWhenItHasLogprobsLosesThem() {
        String spelled = Completions.delta("A 4111 1111 1111 1111 B")
                .replace(
                        "\"finish_reason\":null",
                        "\"logprobs\":{\"content\":[{\"token\":\"A 4111 1111 1111 1111 B\",\"logprob\":-0.1}]},"
                                + "\"finish_reason\":null");
        upstream.streams(
                List.of(spelled.getBytes(UTF_8), Completions.stop().getBytes(UTF_8), Completions.DONE.getBytes(UTF_8)));

        HttpResponse<String> answer = gateway.chat(Completions.streamed("with logprobs"));

        assertThat(said(answer.body())).isEqualTo("A [card] B");
        assertThat(answer.body()).doesNotContain("4111");
    }

    @Test
    void streamWhenItIsBlockedNeverGivesWhatWasHeldBack() {
        upstream.streams(
                Completions.stream("Harmless words for a window. 4111 1111", " <S9> SECRET and more of it all"));

        assertThat(gateway.chat(Completions.streamed("then blocked")).body())
                .contains("content_filter")
                .doesNotContain("4111")
                .doesNotContain("SECRET");
    }

    @Test
    void shadowWhenItDecidesDifferentlyIsCountedAndListedButNotEnforced() {
        upstream.says("ok");
        int asked = guard.asked.size();
        HttpResponse<String> answer = gateway.chat(Completions.request("a shadow of " + CARD));

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(guard.asked.size() - asked).isEqualTo(2);
        assertThat(gateway.bean(Shadows.class).differences()).anySatisfy(difference -> {
            assertThat(difference.exchange())
                    .isEqualTo(answer.headers().firstValue("x-corral-exchange").orElseThrow());
            assertThat(difference.decision()).isEqualTo("redact");
            assertThat(difference.shadowDecision()).isEqualTo("block");
            assertThat(difference.shadowRules()).containsExactly("none");
            assertThat(difference.toString()).doesNotContain("4111");
        });
        HttpResponse<String> listed = gateway.get("/actuator/shadows");
        assertThat(listed.statusCode()).isEqualTo(200);
        JsonNode latest = JSON.readTree(listed.body()).path("differences");
        assertThat(latest).anySatisfy(difference -> {
            assertThat(difference.path("exchange").asString())
                    .isEqualTo(answer.headers().firstValue("x-corral-exchange").orElseThrow());
            assertThat(difference.path("policy").asString()).startsWith("cards@1+");
            assertThat(difference.path("shadow").asString()).startsWith("strict@2+");
            assertThat(difference.path("shadowDecision").asString()).isEqualTo("block");
        });
        assertThat(listed.body()).doesNotContain("4111");
        assertThat(gateway.send(gateway.request("/actuator/shadows").DELETE()).statusCode())
                .isEqualTo(405);
        assertThat(gateway.get("/actuator/prometheus").body().lines())
                .anyMatch(line -> line.startsWith("corral_shadow_total")
                        && line.contains("decision=\"redact\"")
                        && line.contains("shadow=\"strict\"")
                        && line.contains("shadow_decision=\"block\""));
    }

    private static String said(String stream) {
        StringBuilder said = new StringBuilder();
        for (String line : stream.split("\n", -1)) {
            if (line.startsWith("data: {")) {
                JsonNode chunk = JSON.readTree(line.substring(6));
                said.append(chunk.at("/choices/0/delta/content").asString(""));
            }
        }
        return said.toString();
    }
}
