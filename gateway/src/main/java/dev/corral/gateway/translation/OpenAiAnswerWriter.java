package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.SseEvent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Completions of chats, and their chunks. */
final class OpenAiAnswerWriter extends AnswerWriter {

    private String id = "";
    private String model = "";
    private Usage usage = Usage.UNKNOWN;

    OpenAiAnswerWriter(Letterhead head) {
        super(head);
    }

    @Override
    ObjectNode whole(WholeAnswer answer) {
        begin(answer.id(), answer.model());
        ObjectNode completion = head("chat.completion");
        ObjectNode choice = completion.putArray("choices").addObject().put("index", 0);
        ObjectNode message = choice.putObject("message").put("role", "assistant");
        String text = RequestWriter.spoken(answer.content());
        String thoughts = RequestWriter.thoughts(answer.content());
        List<Content.Call> calls = RequestWriter.calls(answer.content());
        message.put("content", text.isEmpty() && !calls.isEmpty() ? null : text).putNull("refusal");
        if (!thoughts.isEmpty()) {
            message.put("reasoning_content", thoughts);
        }
        if (!calls.isEmpty()) {
            ArrayNode list = message.putArray("tool_calls");
            calls.forEach(call -> list.addObject()
                    .put("id", call.id())
                    .put("type", "function")
                    .putObject("function")
                    .put("name", call.name())
                    .put("arguments", call.arguments()));
        }
        choice.putNull("logprobs").put("finish_reason", answer.stop().openAi());
        completion.set("usage", usage(answer.usage()));
        return completion;
    }

    @Override
    List<byte[]> write(Delta delta) {
        return switch (delta) {
            case Delta.Begin begin -> {
                begin(begin.id(), begin.model());
                yield List.of(chunk(message().put("role", "assistant").put("content", ""), null));
            }
            case Delta.Thought thought -> List.of(chunk(message().put("reasoning_content", thought.text()), null));
            case Delta.Text text -> List.of(chunk(message().put("content", text.text()), null));
            case Delta.Call call -> List.of(call(call));
            case Delta.Arguments arguments -> List.of(arguments(arguments));
            case Delta.Stopped stopped ->
                List.of(chunk(message(), stopped.reason().openAi()));
            case Delta.Used used -> {
                usage = usage.and(used.usage());
                yield List.of();
            }
            case Delta.End _ -> end();
            case Delta.Ping _ -> List.of(SseEvent.comment("ping"));
            case Delta.Failed failed -> List.of(head.dialect().errorFrame(failed.error()));
        };
    }

    private void begin(String given, String named) {
        id = given.isEmpty() ? "chatcmpl-" + head.exchangeId() : given;
        model = named;
    }

    private byte[] call(Delta.Call call) {
        ObjectNode message = message();
        ObjectNode begun = message.putArray("tool_calls").addObject().put("index", call.number());
        begun.put("id", call.id())
                .put("type", "function")
                .putObject("function")
                .put("name", call.name())
                .put("arguments", "");
        return chunk(message, null);
    }

    private byte[] arguments(Delta.Arguments more) {
        ObjectNode message = message();
        message.putArray("tool_calls")
                .addObject()
                .put("index", more.number())
                .putObject("function")
                .put("arguments", more.text());
        return chunk(message, null);
    }

    private List<byte[]> end() {
        List<byte[]> frames = new ArrayList<>();
        if (head.streamedUsage()) {
            ObjectNode chunk = head("chat.completion.chunk");
            chunk.putArray("choices");
            chunk.set("usage", usage(usage));
            frames.add(SseEvent.frame(chunk));
        }
        frames.add("data: [DONE]\n\n".getBytes(StandardCharsets.UTF_8));
        return frames;
    }

    private byte[] chunk(ObjectNode message, @Nullable String finish) {
        ObjectNode chunk = head("chat.completion.chunk");
        ObjectNode choice = chunk.putArray("choices").addObject().put("index", 0);
        choice.set("delta", message);
        choice.putNull("logprobs").put("finish_reason", finish);
        return SseEvent.frame(chunk);
    }

    private static ObjectNode message() {
        return JSON.objectNode();
    }

    private ObjectNode head(String object) {
        return JSON.objectNode()
                .put("id", id)
                .put("object", object)
                .put("created", head.created().getEpochSecond())
                .put("model", model);
    }

    private static ObjectNode usage(Usage usage) {
        ObjectNode written = JSON.objectNode()
                .put("prompt_tokens", usage.input())
                .put("completion_tokens", usage.output())
                .put("total_tokens", usage.input() + usage.output());
        Optional.of(usage.remembered())
                .filter(remembered -> remembered > 0)
                .ifPresent(
                        remembered -> written.putObject("prompt_tokens_details").put("cached_tokens", remembered));
        return written;
    }
}
