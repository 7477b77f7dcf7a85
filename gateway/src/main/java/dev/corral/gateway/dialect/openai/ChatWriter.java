package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.WireResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes answers of the gateway's own, in the form that OpenAI's client libraries read.
 *
 * @param form of a chat or of a text, which has no field for a refusal: there it is the text
 * @param id of the answer
 * @param created seconds since 1970
 */
record ChatWriter(Form form, String id, String model, long created) {

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
        ObjectNode answer = head(form.object());
        answer.putArray("choices")
                .add(
                        form == Form.TEXT
                                ? text(0, text, ending.finishReason)
                                : choice(0, "message", message(ending, text), ending.finishReason));
        answer.putObject("usage")
                .put("prompt_tokens", 0)
                .put("completion_tokens", 0)
                .put("total_tokens", 0);
        return WireResponse.json(200, Map.of(), answer);
    }

    /** The chunk that says who speaks, where the form has one. */
    List<byte[]> role(int index) {
        return form == Form.TEXT
                ? List.of()
                : List.of(
                        chunk(index, JSON.objectNode().put("role", "assistant").put("content", ""), null));
    }

    /** A chunk with text. */
    byte[] text(int index, Ending ending, String text) {
        return form == Form.TEXT
                ? chunk(text(index, text, null))
                : chunk(index, JSON.objectNode().put(ending.field, text), null);
    }

    /** The last chunk of a choice. */
    byte[] end(int index, Ending ending) {
        return form == Form.TEXT
                ? chunk(text(index, "", ending.finishReason))
                : chunk(index, JSON.objectNode(), ending.finishReason);
    }

    private byte[] chunk(int index, ObjectNode delta, @Nullable String finishReason) {
        return chunk(choice(index, "delta", delta, finishReason));
    }

    private byte[] chunk(ObjectNode choice) {
        ObjectNode chunk = head(form.chunkObject());
        chunk.putArray("choices").add(choice);
        return SseEvent.frame(chunk);
    }

    private static ObjectNode message(Ending ending, String text) {
        ObjectNode message = JSON.objectNode().put("role", "assistant");
        message.putNull("content").putNull("refusal").put(ending.field, text);
        return message;
    }

    private static ObjectNode text(int index, String text, @Nullable String finishReason) {
        ObjectNode choice = JSON.objectNode().put("index", index).put("text", text);
        choice.putNull("logprobs").put("finish_reason", finishReason);
        return choice;
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
