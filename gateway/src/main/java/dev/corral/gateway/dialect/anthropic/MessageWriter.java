package dev.corral.gateway.dialect.anthropic;

import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.WireResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes answers of the gateway's own, in the form that Anthropic's client libraries read.
 *
 * @param id of the answer
 */
record MessageWriter(String id, String model) {

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** How an answer of the gateway's own ends. */
    enum Ending {
        REFUSAL("refusal"),
        REPLY("end_turn");

        private final String stopReason;

        Ending(String stopReason) {
            this.stopReason = stopReason;
        }
    }

    /** A whole answer. */
    WireResponse whole(Ending ending, String text) {
        ObjectNode message = message(ending.stopReason);
        message.withArray("content").add(text(text));
        return WireResponse.json(200, Map.of(), message);
    }

    byte[] start() {
        ObjectNode event = event("message_start");
        event.set("message", message(null));
        return frame(event);
    }

    /** A block with a text, from its beginning to its end. */
    List<byte[]> block(int index, String text) {
        List<byte[]> frames = new ArrayList<>();
        ObjectNode begin = event("content_block_start").put("index", index);
        begin.set("content_block", text(""));
        frames.add(frame(begin));
        frames.add(delta(index, "text_delta", "text", text));
        frames.add(blockEnd(index));
        return frames;
    }

    static byte[] delta(int index, String type, String field, String text) {
        ObjectNode event = event("content_block_delta").put("index", index);
        event.putObject("delta").put("type", type).put(field, text);
        return frame(event);
    }

    byte[] blockEnd(int index) {
        return frame(event("content_block_stop").put("index", index));
    }

    List<byte[]> end(Ending ending) {
        ObjectNode delta = event("message_delta");
        delta.putObject("delta").put("stop_reason", ending.stopReason).putNull("stop_sequence");
        delta.putObject("usage").put("output_tokens", 0);
        return List.of(frame(delta), stop());
    }

    byte[] stop() {
        return frame(event("message_stop"));
    }

    static WireResponse error(GatewayError error) {
        return new WireResponse(
                error.status(), MediaType.APPLICATION_JSON, error.headers(), StrictJson.bytes(envelope(error)));
    }

    static byte[] errorFrame(GatewayError error) {
        return frame(envelope(error));
    }

    /** An event, named after its type. */
    static byte[] frame(ObjectNode event) {
        return SseEvent.frame(event.path("type").asString(""), event);
    }

    private static ObjectNode envelope(GatewayError error) {
        ObjectNode envelope = event("error");
        envelope.putObject("error").put("type", type(error.status())).put("message", error.message());
        return envelope;
    }

    private static String type(int status) {
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 413 -> "request_too_large";
            case 429 -> "rate_limit_error";
            case 503, 529 -> "overloaded_error";
            case 504 -> "timeout_error";
            default -> status < 500 ? "invalid_request_error" : "api_error";
        };
    }

    private ObjectNode message(@Nullable String stopReason) {
        ObjectNode message = JSON.objectNode()
                .put("id", id)
                .put("type", "message")
                .put("role", "assistant")
                .put("model", model);
        message.putArray("content");
        message.put("stop_reason", stopReason).putNull("stop_sequence");
        message.putObject("usage").put("input_tokens", 0).put("output_tokens", 0);
        return message;
    }

    private static ObjectNode event(String type) {
        return JSON.objectNode().put("type", type);
    }

    private static ObjectNode text(String text) {
        return JSON.objectNode().put("type", "text").put("text", text);
    }
}
