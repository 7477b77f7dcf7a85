package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.FrameSplitter;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.NdjsonFrames;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.SseFrames;
import dev.corral.gateway.dialect.StrictJson;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads answers of one API: one answer, whole or frame by frame. Not thread-safe. */
abstract sealed class AnswerReader permits OpenAiAnswerReader, AnthropicAnswerReader, OllamaAnswerReader {

    private static final int FAILED = 502;

    private boolean begun;

    static AnswerReader of(ChatApi api, String callPrefix) {
        return switch (api) {
            case OPENAI -> new OpenAiAnswerReader(callPrefix);
            case ANTHROPIC -> new AnthropicAnswerReader();
            case OLLAMA -> new OllamaAnswerReader(callPrefix);
        };
    }

    /** Splits a streamed answer of an API. */
    static FrameSplitter frames(ChatApi api, int maxBytes) {
        return api == ChatApi.OLLAMA ? new NdjsonFrames(maxBytes) : new SseFrames(maxBytes);
    }

    /**
     * All of a whole answer.
     *
     * @throws DialectException where it is none of this API
     */
    abstract List<Delta> whole(JsonNode answer);

    /** What the next value of a stream brings. */
    abstract List<Delta> next(JsonNode value);

    /** What a frame brings. */
    List<Delta> frame(byte[] frame) {
        SseEvent event = SseEvent.parse(frame);
        String data = event.data();
        if (data == null || data.isBlank()) {
            return event.notes().isEmpty() ? List.of() : List.of(new Delta.Ping());
        }
        return data.strip().equals("[DONE]") ? List.of(new Delta.End()) : value(StrictJson.event(data));
    }

    final List<Delta> value(JsonNode value) {
        return UpstreamError.is(value) ? List.of(new Delta.Failed(UpstreamError.read(FAILED, value))) : next(value);
    }

    /** Says once that the answer begins. */
    final List<Delta> begin(JsonNode id, JsonNode model) {
        if (begun) {
            return List.of();
        }
        begun = true;
        return List.of(new Delta.Begin(id.asString(""), model.asString("")));
    }

    static void text(@Nullable JsonNode value, List<Delta> to) {
        if (value != null && value.isString() && !value.stringValue().isEmpty()) {
            to.add(new Delta.Text(value.stringValue()));
        } else if (value != null && !value.isString() && !value.isNull()) {
            throw DialectException.unreadable("a text in it is none");
        }
    }

    static void thought(JsonNode value, List<Delta> to) {
        if (value.isString() && !value.stringValue().isEmpty()) {
            to.add(new Delta.Thought(value.stringValue()));
        }
    }

    static List<Delta> list(List<Delta> first) {
        return new ArrayList<>(first);
    }

    /** An answer that ended without saying so. */
    static DialectException incomplete() {
        return new DialectException(new GatewayError(
                FAILED,
                "upstream_error",
                "upstream_failed",
                null,
                "the upstream ended its answer before it was complete",
                null));
    }
}
