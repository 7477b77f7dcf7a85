package dev.corral.gateway.dialect.llamastack;

import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.SseEvent;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Which of Llama Stack's ways to ask for text. Its answers know no refusal: they end their turn. */
public enum LlamaStackApi {
    CHAT("/inference/chat-completion") {
        @Override
        ModeratedRequest read(byte[] body) {
            return LlamaStackRequests.chat(body);
        }

        @Override
        ObjectNode whole(String text) {
            ObjectNode answer = JsonNodeFactory.instance.objectNode();
            answer.putObject("completion_message")
                    .put("role", "assistant")
                    .put("content", text)
                    .put("stop_reason", END)
                    .putArray("tool_calls");
            return answer.putNull("logprobs");
        }

        @Override
        List<byte[]> begin() {
            return List.of(event("start", "", null));
        }

        @Override
        byte[] chunk(String text) {
            return event("progress", text, null);
        }

        @Override
        byte[] end() {
            return event("complete", "", END);
        }

        @Override
        boolean isEnd(JsonNode chunk) {
            return chunk.path("event").path("event_type").asString("").equals("complete");
        }

        private static byte[] event(String type, String text, @Nullable String stopReason) {
            ObjectNode chunk = JsonNodeFactory.instance.objectNode();
            ObjectNode event = chunk.putObject("event").put("event_type", type);
            event.putObject("delta").put("type", "text").put("text", text);
            event.putNull("logprobs").put("stop_reason", stopReason);
            return SseEvent.frame(chunk);
        }
    },
    COMPLETION("/inference/completion") {
        @Override
        ModeratedRequest read(byte[] body) {
            return LlamaStackRequests.completion(body);
        }

        @Override
        ObjectNode whole(String text) {
            return JsonNodeFactory.instance
                    .objectNode()
                    .put("content", text)
                    .put("stop_reason", END)
                    .putNull("logprobs");
        }

        @Override
        List<byte[]> begin() {
            return List.of();
        }

        @Override
        byte[] chunk(String text) {
            return chunk(text, null);
        }

        @Override
        byte[] end() {
            return chunk("", END);
        }

        @Override
        boolean isEnd(JsonNode chunk) {
            return chunk.path("stop_reason").isString();
        }

        private static byte[] chunk(String text, @Nullable String stopReason) {
            return SseEvent.frame(JsonNodeFactory.instance
                    .objectNode()
                    .put("delta", text)
                    .put("stop_reason", stopReason)
                    .putNull("logprobs"));
        }
    };

    private static final String END = "end_of_turn";

    private final String path;

    LlamaStackApi(String path) {
        this.path = path;
    }

    String path() {
        return path;
    }

    abstract ModeratedRequest read(byte[] body);

    /** A whole answer. */
    abstract ObjectNode whole(String text);

    /** What a stream begins with. */
    abstract List<byte[]> begin();

    abstract byte[] chunk(String text);

    abstract byte[] end();

    /** Whether nothing comes after this chunk. */
    abstract boolean isEnd(JsonNode chunk);

    /** A fragment of a call. */
    byte[] chunkOfCall(String fragment) {
        ObjectNode chunk = JsonNodeFactory.instance.objectNode();
        chunk.putObject("event")
                .put("event_type", "progress")
                .putObject("delta")
                .put("type", "tool_call")
                .put("tool_call", fragment)
                .put("parse_status", "in_progress");
        return SseEvent.frame(chunk);
    }

    /** A whole stream. */
    List<byte[]> stream(String text) {
        List<byte[]> frames = new ArrayList<>(begin());
        frames.add(chunk(text));
        frames.add(end());
        return frames;
    }
}
