package dev.corral.benchmarks.traffic;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.netty.ByteBufFlux;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A backend on a free port that answers what it was told, word by word, with pauses as even as a model's. */
final class ToldUpstream implements AutoCloseable {

    private static final JsonMapper JSON = new JsonMapper();

    private record Answer(String text, int pauseMillis) {}

    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    private final DisposableServer server = HttpServer.create()
            .host("127.0.0.1")
            .port(0)
            .route(routes -> routes.post("/v1/chat/completions", this::chat))
            .bindNow();

    URI url() {
        return URI.create("http://127.0.0.1:" + server.port() + "/v1");
    }

    /** Says what to answer to a prompt, which is returned. */
    String tells(String prompt, String text, int pauseMillis) {
        answers.put(prompt, new Answer(text, pauseMillis));
        return prompt;
    }

    private Publisher<Void> chat(HttpServerRequest request, HttpServerResponse response) {
        return request.receive().aggregate().asString().flatMapMany(body -> {
            JsonNode asked = JSON.readTree(body);
            Answer answer = answers.getOrDefault(
                    asked.path("messages").path(0).path("content").asString(""), new Answer("", 0));
            return asked.path("stream").asBoolean(false)
                    ? stream(response, answer)
                    : Flux.from(response.header("Content-Type", "application/json")
                            .sendString(Flux.just(
                                    chunk("message", answer.text, true).toString())));
        });
    }

    private static Flux<Void> stream(HttpServerResponse response, Answer answer) {
        List<String> frames = new ArrayList<>();
        for (String word : answer.text.split("(?<= )", -1)) {
            frames.add("data: " + chunk("delta", word, false) + "\n\n");
        }
        frames.add("data: " + chunk("delta", "", true) + "\n\n");
        frames.add("data: [DONE]\n\n");
        Flux<String> spoken = answer.pauseMillis == 0
                ? Flux.fromIterable(frames)
                : Flux.interval(Duration.ofMillis(answer.pauseMillis))
                        .onBackpressureBuffer()
                        .zipWithIterable(frames, (_, frame) -> frame);
        return Flux.from(response.sse().send(ByteBufFlux.fromString(spoken), _ -> true));
    }

    private static ObjectNode chunk(String field, String text, boolean last) {
        ObjectNode chunk = JSON.createObjectNode().put("id", "chatcmpl-told").put("model", "told");
        ObjectNode choice = chunk.putArray("choices").addObject().put("index", 0);
        choice.putObject(field).put("content", text);
        choice.put("finish_reason", last ? "stop" : null);
        return chunk;
    }

    @Override
    public void close() {
        server.disposeNow();
    }
}
