package dev.corral.gateway.demo;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.netty.ByteBufFlux;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A backend that speaks OpenAI's chat completions on a free port of this machine, and knows its answers by heart. */
public final class ScriptedUpstream implements AutoCloseable {

    private static final JsonMapper JSON = new JsonMapper();

    /** A fixed time, 2026-01-01: the same request has the same answer, byte for byte. */
    private static final long CREATED = 1_767_225_600L;

    private static final String DEFAULT_MODEL = "demo";

    /** A word takes the space before it along, so that the deltas add up to the answer. */
    private static final Pattern WORDS = Pattern.compile("(?=\\s)");

    private final Duration pause;
    private final DisposableServer server;

    private ScriptedUpstream(Duration pause) {
        this.pause = pause;
        this.server = HttpServer.create()
                .host("127.0.0.1")
                .port(0)
                .route(routes -> routes.get("/v1/models", (_, response) -> json(response, models()))
                        .post("/v1/chat/completions", this::chat))
                .bindNow();
    }

    /**
     * Starts it.
     *
     * @param pause between the words of a stream
     */
    public static ScriptedUpstream start(Duration pause) {
        return new ScriptedUpstream(pause);
    }

    /** Its base, such as {@code http://127.0.0.1:40123/v1}. */
    public URI url() {
        return URI.create("http://127.0.0.1:" + server.port() + "/v1");
    }

    @Override
    public void close() {
        server.disposeNow();
    }

    private Publisher<Void> chat(HttpServerRequest request, HttpServerResponse response) {
        return request.receive().aggregate().asString().defaultIfEmpty("").flatMapMany(body -> {
            JsonNode asked;
            try {
                asked = JSON.readTree(body);
            } catch (JacksonException _) {
                return Flux.from(json(response.status(400), problem("the body must be JSON")));
            }
            String answer = Script.answer(prompt(asked));
            String model = asked.path("model").asString(DEFAULT_MODEL);
            return asked.path("stream").asBoolean(false)
                    ? stream(response, model, answer)
                    : Flux.from(json(response, whole(model, answer)));
        });
    }

    /** The text of the last message: a string, or the text parts of a list. */
    private static String prompt(JsonNode asked) {
        JsonNode messages = asked.path("messages");
        JsonNode content = messages.path(messages.size() - 1).path("content");
        if (!content.isArray()) {
            return content.asString("");
        }
        StringBuilder text = new StringBuilder();
        content.forEach(part -> text.append(part.path("text").asString("")));
        return text.toString();
    }

    private Flux<Void> stream(HttpServerResponse response, String model, String answer) {
        List<String> frames = new ArrayList<>();
        frames.add(frame(model, delta().put("role", "assistant").put("content", ""), null));
        WORDS.splitAsStream(answer).forEach(word -> frames.add(frame(model, delta().put("content", word), null)));
        frames.add(frame(model, delta(), "stop"));
        frames.add("data: [DONE]\n\n");
        Flux<String> spoken = Flux.fromIterable(frames);
        return Flux.from(response.sse()
                .send(ByteBufFlux.fromString(pause.isZero() ? spoken : spoken.delayElements(pause)), _ -> true));
    }

    private static Publisher<Void> json(HttpServerResponse response, ObjectNode body) {
        return response.header("Content-Type", "application/json").sendString(Flux.just(body + "\n"));
    }

    private static ObjectNode whole(String model, String answer) {
        ObjectNode completion = completion("chat.completion", model);
        ObjectNode choice = completion.putArray("choices").addObject().put("index", 0);
        choice.putObject("message").put("role", "assistant").put("content", answer);
        choice.put("finish_reason", "stop");
        return completion;
    }

    private static String frame(String model, ObjectNode delta, @Nullable String finish) {
        ObjectNode chunk = completion("chat.completion.chunk", model);
        ObjectNode choice = chunk.putArray("choices").addObject().put("index", 0);
        choice.set("delta", delta);
        choice.put("finish_reason", finish);
        return "data: " + chunk + "\n\n";
    }

    private static ObjectNode completion(String object, String model) {
        return JSON.createObjectNode()
                .put("id", "chatcmpl-demo")
                .put("object", object)
                .put("created", CREATED)
                .put("model", model);
    }

    private static ObjectNode delta() {
        return JSON.createObjectNode();
    }

    private static ObjectNode models() {
        ObjectNode list = JSON.createObjectNode().put("object", "list");
        list.putArray("data")
                .addObject()
                .put("id", DEFAULT_MODEL)
                .put("object", "model")
                .put("created", CREATED)
                .put("owned_by", "corral");
        return list;
    }

    private static ObjectNode problem(String message) {
        ObjectNode envelope = JSON.createObjectNode();
        envelope.putObject("error").put("message", message).put("type", "invalid_request_error");
        return envelope;
    }
}
