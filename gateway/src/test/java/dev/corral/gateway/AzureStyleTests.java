package dev.corral.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.testing.Completions;
import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.gateway.testing.ScriptedUpstream;
import dev.corral.gateway.testing.TestGateway;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What passes under a policy in Azure's style says that nothing was filtered. */
class AzureStyleTests {

    private static final ScriptedUpstream upstream = new ScriptedUpstream();
    private static TestGateway gateway;

    @BeforeAll
    static void start() {
        gateway = TestGateway.start(new ScriptedGuard(), upstream, """
                policy: azure
                version: 1
                rules:
                  - { id: heat, when: { hazard: S10 }, then: flag }
                  - { id: rest, when: { hazard: any }, then: block }
                block: { style: azure, message: Not here. }
                streaming: { window: 8 characters, first-window: 4 characters }
                """);
    }

    @AfterAll
    static void stop() {
        gateway.close();
        upstream.close();
    }

    @Test
    void chatWhenItPassesHasAnnotationsOfPromptAndAnswer() {
        upstream.says("so <S10>");

        JsonNode answer = json(gateway.chat(Completions.request("hello")).body());

        JsonNode prompt = answer.at("/prompt_filter_results/0");
        assertThat(prompt.path("prompt_index").asInt()).isZero();
        assertThat(prompt.at("/content_filter_results/hate").toString())
                .isEqualTo("{\"filtered\":false,\"severity\":\"safe\"}");
        assertThat(prompt.at("/content_filter_results/jailbreak").toString())
                .isEqualTo("{\"filtered\":false,\"detected\":false}");
        JsonNode found = answer.at("/choices/0/content_filter_results");
        assertThat(found.path("hate").toString()).isEqualTo("{\"filtered\":false,\"severity\":\"high\"}");
        assertThat(found.path("violence").toString()).isEqualTo("{\"filtered\":false,\"severity\":\"safe\"}");
        assertThat(answer.at("/choices/0/message/content").asString()).isEqualTo("so <S10>");
        assertThat(answer.at("/usage/total_tokens").asInt()).isEqualTo(2);
    }

    @Test
    void chatWhenItIsStreamedBeginsWithThePromptsAnnotationsAndEndsWithTheAnswers() {
        upstream.streams(Completions.stream("harmless ", "words"));

        List<String> events = gateway.chat(Completions.streamed("<S10> hello"))
                .body()
                .lines()
                .filter(line -> line.startsWith("data: {"))
                .map(line -> line.substring(6))
                .toList();

        JsonNode first = json(events.getFirst());
        assertThat(first.path("choices").isEmpty()).isTrue();
        assertThat(first.at("/prompt_filter_results/0/content_filter_results/hate")
                        .toString())
                .isEqualTo("{\"filtered\":false,\"severity\":\"high\"}");
        JsonNode last = json(events.getLast());
        assertThat(last.at("/choices/0/finish_reason").asString()).isEqualTo("stop");
        assertThat(last.at("/choices/0/content_filter_results/hate").toString())
                .isEqualTo("{\"filtered\":false,\"severity\":\"safe\"}");
        assertThat(events.subList(1, events.size() - 1))
                .allSatisfy(event -> assertThat(event).doesNotContain("filter"));
    }

    @Test
    void streamWhenItTurnsHarmfulSaysThatItWasFiltered() {
        upstream.streams(Completions.stream("harmless ", "words ", "then <S9>"));

        String answer = gateway.chat(Completions.streamed("hello")).body();

        assertThat(answer)
                .contains("prompt_filter_results", "\"violence\":{\"filtered\":true,\"severity\":\"high\"}")
                .doesNotContain("S9");
    }

    @Test
    void responsesWhenTheyPassHaveContentFilters() {
        String response = "{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"output\":[]}";
        upstream.answers(200, "application/json", response.getBytes(UTF_8));

        JsonNode whole = json(gateway.post("/v1/responses", "{\"model\":\"m\",\"input\":\"hello\"}")
                .body());

        assertThat(whole.at("/content_filters/0/source_type").asString()).isEqualTo("prompt");
        assertThat(whole.at("/content_filters/1/source_type").asString()).isEqualTo("completion");
        assertThat(whole.at("/content_filters/1/blocked").asBoolean(true)).isFalse();

        upstream.streams(List.of(
                ("event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":" + response + "}\n\n")
                        .getBytes(UTF_8)));
        assertThat(gateway.post("/v1/responses", "{\"model\":\"m\",\"input\":\"hello\",\"stream\":true}")
                        .body())
                .startsWith("event: response.completed\ndata: {")
                .contains("\"content_filters\":[{\"blocked\":false,\"source_type\":\"prompt\"");
    }

    @Test
    void messagesWhenTheyPassAreAsTheyCame() {
        String message = "{ \"type\":\"message\", \"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}";
        upstream.answers(200, "application/json", message.getBytes(UTF_8));

        assertThat(gateway.post(
                                "/v1/messages",
                                "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}")
                        .body())
                .isEqualTo(message);
    }

    private static JsonNode json(String text) {
        return JsonMapper.shared().readTree(text);
    }
}
