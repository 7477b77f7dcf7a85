package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.WireResponse;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes answers of the gateway's own, in the form that OpenAI's client libraries read.
 *
 * @param id of the answer
 * @param created seconds since 1970
 */
record ChatWriter(String id, String model, long created) {

    static final byte[] DONE = "data: [DONE]\n\n".getBytes(StandardCharsets.UTF_8);

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** How an answer of the gateway's own ends, and which field its text is in. */
    enum Ending {
        REFUSAL("refusal", "content_filter"),
        REPLY("content", "stop");

        private final String field;
        private final String finishReason;

        Ending(String field, String finishReason) {
            this.field = field;
            this.finishReason = finishReason;
        }
    }

    /** A whole answer. */
    WireResponse whole(Ending ending, String text) {
        ObjectNode message = JSON.objectNode().put("role", "assistant");
        message.putNull("content").putNull("refusal").put(ending.field, text);
        ObjectNode answer = head("chat.completion");
        answer.putArray("choices").add(choice(0, "message", message, ending.finishReason));
        answer.putObject("usage")
                .put("prompt_tokens", 0)
                .put("completion_tokens", 0)
                .put("total_tokens", 0);
        return WireResponse.json(200, Map.of(), answer);
    }

    /** The chunk that says who speaks. */
    byte[] role(int index) {
        return chunk(index, JSON.objectNode().put("role", "assistant").put("content", ""), null);
    }

    /** A chunk with text. */
    byte[] text(int index, Ending ending, String text) {
        return chunk(index, JSON.objectNode().put(ending.field, text), null);
    }

    /** The last chunk of a choice. */
    byte[] end(int index, Ending ending) {
        return chunk(index, JSON.objectNode(), ending.finishReason);
    }

    /** The error envelope. */
    static WireResponse error(GatewayError error) {
        return WireResponse.json(error.status(), error.headers(), envelope(error));
    }

    /** The error envelope as an event of a stream. */
    static byte[] errorFrame(GatewayError error) {
        return SseEvent.frame(envelope(error));
    }

    private static ObjectNode envelope(GatewayError error) {
        ObjectNode body = JSON.objectNode();
        body.putObject("error")
                .put("message", error.message())
                .put("type", error.type())
                .put("param", error.param())
                .put("code", error.code());
        return body;
    }

    private byte[] chunk(int index, ObjectNode delta, @Nullable String finishReason) {
        ObjectNode chunk = head("chat.completion.chunk");
        chunk.putArray("choices").add(choice(index, "delta", delta, finishReason));
        return SseEvent.frame(chunk);
    }

    private ObjectNode head(String object) {
        return JSON.objectNode()
                .put("id", id)
                .put("object", object)
                .put("created", created)
                .put("model", model);
    }

    private static ObjectNode choice(int index, String field, ObjectNode message, @Nullable String finishReason) {
        ObjectNode choice = JSON.objectNode().put("index", index);
        choice.set(field, message);
        choice.putNull("logprobs").put("finish_reason", finishReason);
        return choice;
    }
}
