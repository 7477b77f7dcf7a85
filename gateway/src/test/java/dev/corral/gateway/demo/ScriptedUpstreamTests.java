package dev.corral.gateway.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ScriptedUpstreamTests {

    private final ScriptedUpstream upstream = ScriptedUpstream.start(Duration.ofMillis(1));

    private final HttpClient client = HttpClient.newHttpClient();

    @AfterEach
    void stop() {
        client.close();
        upstream.close();
    }

    @Test
    void modelsWhenAskedForAreOne() throws Exception {
        HttpResponse<String> response =
                client.send(HttpRequest.newBuilder(uri("/models")).build(), BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).contains("\"id\":\"demo\"");
    }

    @Test
    void answerWhenWholeFitsThePrompt() throws Exception {
        HttpResponse<String> response = chat("""
                {"model":"m","messages":[{"role":"user","content":"What is the capital of France?"}]}""");
        assertThat(response.headers().firstValue("content-type")).contains("application/json");
        assertThat(response.body()).isEqualTo("""
                {"id":"chatcmpl-demo","object":"chat.completion","created":1767225600,"model":"m","choices":[{"index":0,\
                "message":{"role":"assistant","content":"The capital of France is Paris."},"finish_reason":"stop"}]}
                """);
    }

    @Test
    void answerWhenContentIsPartsFitsTheirText() throws Exception {
        assertThat(chat("""
                {"messages":[{"role":"user","content":[{"type":"text","text":"A haiku"},{"type":"text","text":"!"}]}]}""").body()).contains("Leaves fall on the gate.");
    }

    @Test
    void answerWhenThePromptIsUnknownSaysWhatIsKnown() throws Exception {
        assertThat(chat("{}").body()).contains("know a few answers by heart");
    }

    @Test
    void answerWhenStreamedIsTheSameWordByWord() throws Exception {
        String prompt = "Tell me a Bedtime Story.";
        HttpResponse<String> response =
                chat("{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"" + prompt + "\"}]}");
        assertThat(response.headers().firstValue("content-type")).contains("text/event-stream");
        List<String> frames = List.of(response.body().split("\n\n"));
        assertThat(frames)
                .hasSizeGreaterThan(50)
                .endsWith("data: [DONE]")
                .allMatch(frame -> frame.startsWith("data: "));
        StringBuilder text = new StringBuilder();
        for (String frame : frames.subList(0, frames.size() - 1)) {
            JsonNode chunk = new JsonMapper().readTree(frame.substring("data: ".length()));
            text.append(chunk.at("/choices/0/delta/content").asString(""));
        }
        assertThat(text).hasToString(Script.answer(prompt));
        assertThat(frames.get(frames.size() - 2)).contains("\"finish_reason\":\"stop\"");
    }

    @Test
    void answerWhenTheBodyIsNoJsonIsAnError() throws Exception {
        assertThat(chat("{").statusCode()).isEqualTo(400);
        assertThat(chat("").statusCode()).isEqualTo(200);
    }

    private HttpResponse<String> chat(String body) throws IOException, InterruptedException {
        return client.send(
                HttpRequest.newBuilder(uri("/chat/completions"))
                        .POST(BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
    }

    private URI uri(String path) {
        return URI.create(upstream.url() + path);
    }
}
