package dev.corral.gateway.dialect.ollama;

import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.NdjsonFrames;
import dev.corral.gateway.dialect.WireResponse;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes answers of the gateway's own, in the form that Ollama's clients read.
 *
 * @param created when the answer is written
 */
record OllamaWriter(OllamaApi api, String model, Instant created) {

    private static final List<String> COUNTS = List.of(
            "total_duration",
            "load_duration",
            "prompt_eval_count",
            "prompt_eval_duration",
            "eval_count",
            "eval_duration");

    /** How an answer of the gateway's own ends. Ollama knows no refusal; its clients take any reason. */
    enum Ending {
        REFUSAL("content_filter"),
        REPLY("stop");

        private final String reason;

        Ending(String reason) {
            this.reason = reason;
        }
    }

    /** A whole answer. */
    WireResponse whole(Ending ending, String text) {
        return WireResponse.json(200, Map.of(), last(ending, text));
    }

    /** A line with text, then the last one. */
    List<byte[]> lines(Ending ending, String text) {
        ObjectNode line = line(text).put("done", false);
        return List.of(NdjsonFrames.frame(line), NdjsonFrames.frame(last(ending, "")));
    }

    /** A line with text that was left over. */
    byte[] text(String text) {
        return NdjsonFrames.frame(line(text).put("done", false));
    }

    static WireResponse error(GatewayError error) {
        return WireResponse.json(error.status(), error.headers(), envelope(error));
    }

    static byte[] errorFrame(GatewayError error) {
        return NdjsonFrames.frame(envelope(error));
    }

    private static ObjectNode envelope(GatewayError error) {
        return JsonNodeFactory.instance.objectNode().put("error", error.message());
    }

    private ObjectNode last(Ending ending, String text) {
        ObjectNode line = line(text).put("done", true).put("done_reason", ending.reason);
        COUNTS.forEach(name -> line.put(name, 0));
        return line;
    }

    private ObjectNode line(String text) {
        ObjectNode line =
                JsonNodeFactory.instance.objectNode().put("model", model).put("created_at", created.toString());
        api.say(line, text);
        return line;
    }
}
