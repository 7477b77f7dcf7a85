package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.SseEvent;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Messages, and their events. A stream is a row of blocks, one after another; why it ends is told with what it took, which
 * others tell last, so both wait for the end.
 */
final class AnthropicAnswerWriter extends AnswerWriter {

    /** What a block holds. */
    private enum Kind {
        NONE,
        THOUGHT,
        TEXT,
        CALL
    }

    private Kind open = Kind.NONE;
    private int openCall;
    private int block = -1;
    private Delta.Stopped stopped = new Delta.Stopped(Stop.END, "");
    private Usage usage = Usage.UNKNOWN;

    AnthropicAnswerWriter(Letterhead head) {
        super(head);
    }

    @Override
    ObjectNode whole(WholeAnswer answer) {
        ObjectNode message = message(answer.id(), answer.model());
        ArrayNode content = message.putArray("content");
        for (Content each : answer.content()) {
            switch (each) {
                case Content.Text text -> content.add(text(text.text()));
                case Content.Thought thought -> content.add(thought(thought.text()));
                case Content.Call call ->
                    content.add(call(call.id(), call.name()).set("input", arguments(call.name(), call.arguments())));
                case Content.InlineImage _, Content.LinkedImage _ ->
                    throw new IllegalStateException("answers have no images");
            }
        }
        end(message, answer.stop(), answer.sequence());
        message.set("usage", usage(answer.usage()));
        return message;
    }

    @Override
    List<byte[]> write(Delta delta) {
        return switch (delta) {
            case Delta.Begin begin -> List.of(start(begin));
            case Delta.Thought more -> {
                List<byte[]> frames = in(Kind.THOUGHT, thought(""));
                frames.add(grow("thinking_delta", "thinking", more.text()));
                yield frames;
            }
            case Delta.Text more -> {
                List<byte[]> frames = in(Kind.TEXT, text(""));
                frames.add(grow("text_delta", "text", more.text()));
                yield frames;
            }
            case Delta.Call call -> {
                List<byte[]> frames = close();
                ObjectNode begun = call(call.id(), call.name());
                begun.putObject("input");
                frames.add(open(Kind.CALL, begun));
                openCall = call.number();
                yield frames;
            }
            case Delta.Arguments more -> {
                if (open != Kind.CALL || openCall != more.number()) {
                    throw DialectException.unreadable("the arguments of several calls are mixed in its stream");
                }
                yield List.of(grow("input_json_delta", "partial_json", more.text()));
            }
            case Delta.Stopped why -> {
                stopped = why;
                yield List.of();
            }
            case Delta.Used used -> {
                usage = usage.and(used.usage());
                yield List.of();
            }
            case Delta.End _ -> end();
            case Delta.Ping _ -> List.of(SseEvent.comment("ping"));
            case Delta.Failed failed -> List.of(head.dialect().errorFrame(failed.error()));
        };
    }

    private byte[] start(Delta.Begin begin) {
        ObjectNode message = message(begin.id(), begin.model());
        message.putArray("content");
        message.putNull("stop_reason").putNull("stop_sequence");
        message.set("usage", usage(Usage.UNKNOWN));
        ObjectNode event = event("message_start");
        event.set("message", message);
        return frame(event);
    }

    /** The end of another kind of block, and the beginning of this one, where it is not open. */
    private List<byte[]> in(Kind kind, ObjectNode begun) {
        if (open == kind) {
            return new ArrayList<>();
        }
        List<byte[]> frames = close();
        frames.add(open(kind, begun));
        return frames;
    }

    private List<byte[]> close() {
        List<byte[]> frames = new ArrayList<>();
        if (open != Kind.NONE) {
            frames.add(frame(event("content_block_stop").put("index", block)));
        }
        open = Kind.NONE;
        return frames;
    }

    private byte[] open(Kind kind, ObjectNode begun) {
        open = kind;
        block++;
        ObjectNode event = event("content_block_start").put("index", block);
        event.set("content_block", begun);
        return frame(event);
    }

    private byte[] grow(String type, String field, String text) {
        ObjectNode event = event("content_block_delta").put("index", block);
        event.putObject("delta").put("type", type).put(field, text);
        return frame(event);
    }

    private List<byte[]> end() {
        List<byte[]> frames = close();
        ObjectNode event = event("message_delta");
        end(event.putObject("delta"), stopped.reason(), stopped.sequence());
        event.set("usage", usage(usage));
        frames.add(frame(event));
        frames.add(frame(event("message_stop")));
        return frames;
    }

    private ObjectNode message(String id, String model) {
        return JSON.objectNode()
                .put("id", id.isEmpty() ? "msg_" + head.exchangeId() : id)
                .put("type", "message")
                .put("role", "assistant")
                .put("model", model);
    }

    private static void end(ObjectNode to, Stop stop, @Nullable String sequence) {
        to.put("stop_reason", stop.anthropic())
                .put("stop_sequence", sequence == null || sequence.isEmpty() ? null : sequence);
    }

    private static ObjectNode text(String text) {
        return JSON.objectNode().put("type", "text").put("text", text);
    }

    /** Only Anthropic seals thoughts. */
    private static ObjectNode thought(String text) {
        return JSON.objectNode().put("type", "thinking").put("thinking", text).put("signature", "");
    }

    private static ObjectNode call(String id, String name) {
        return JSON.objectNode().put("type", "tool_use").put("id", id).put("name", name);
    }

    private static ObjectNode usage(Usage usage) {
        ObjectNode written = JSON.objectNode().put("input_tokens", usage.input() - usage.remembered());
        if (usage.remembered() > 0) {
            written.put("cache_read_input_tokens", usage.remembered());
        }
        return written.put("output_tokens", usage.output());
    }

    private static ObjectNode event(String type) {
        return JSON.objectNode().put("type", type);
    }

    private static byte[] frame(ObjectNode event) {
        return SseEvent.frame(event.path("type").asString(""), event);
    }
}
