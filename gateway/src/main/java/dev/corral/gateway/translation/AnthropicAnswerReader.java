package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.Words;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** Messages, and their events. Seals of thoughts and citations end here: no other API has a place for them. */
final class AnthropicAnswerReader extends AnswerReader {

    /** The numbers of calls by those of their blocks. */
    private final Map<Integer, Integer> calls = new HashMap<>();

    /** Calls of whose arguments nothing has come. */
    private final Set<Integer> bare = new HashSet<>();

    @Override
    List<Delta> whole(JsonNode message) {
        JsonNode content = message.path("content");
        if (!content.isArray()) {
            throw DialectException.unreadable("it has no 'content'");
        }
        List<Delta> deltas = list(begin(message.path("id"), message.path("model")));
        for (int i = 0; i < content.size(); i++) {
            beginBlock(i, content.get(i), deltas);
            endBlock(i, deltas);
        }
        stopped(message, deltas);
        used(message.path("usage"), deltas);
        deltas.add(new Delta.End());
        return deltas;
    }

    @Override
    List<Delta> next(JsonNode event) {
        List<Delta> deltas = new ArrayList<>();
        int index = event.path("index").asInt(0);
        switch (event.path("type").asString("")) {
            case "message_start" -> {
                JsonNode message = event.path("message");
                deltas.addAll(begin(message.path("id"), message.path("model")));
                used(message.path("usage"), deltas);
            }
            case "content_block_start" -> beginBlock(index, event.path("content_block"), deltas);
            case "content_block_delta" -> grow(index, event.path("delta"), deltas);
            case "content_block_stop" -> endBlock(index, deltas);
            case "message_delta" -> {
                stopped(event.path("delta"), deltas);
                used(event.path("usage"), deltas);
            }
            case "message_stop" -> deltas.add(new Delta.End());
            case "ping" -> deltas.add(new Delta.Ping());
            default ->
                throw DialectException.unreadable("it has an event of type '"
                        + Words.shortened(event.path("type").asString("")) + "'");
        }
        return deltas;
    }

    private void beginBlock(int index, JsonNode block, List<Delta> deltas) {
        switch (block.path("type").asString("")) {
            case "text" -> text(block.get("text"), deltas);
            case "thinking" -> thought(block.path("thinking"), deltas);
            case "redacted_thinking" -> {}
            case "tool_use" -> {
                int number = calls.size();
                calls.put(index, number);
                bare.add(index);
                deltas.add(new Delta.Call(
                        number,
                        block.path("id").asString(""),
                        block.path("name").asString("")));
                JsonNode input = block.path("input");
                if (!input.isEmpty()) {
                    arguments(index, StrictJson.render(input), deltas);
                }
            }
            default ->
                throw DialectException.unreadable("it has a block of type '"
                        + Words.shortened(block.path("type").asString("")) + "'");
        }
    }

    private void grow(int index, JsonNode delta, List<Delta> deltas) {
        switch (delta.path("type").asString("")) {
            case "text_delta" -> text(delta.get("text"), deltas);
            case "thinking_delta" -> thought(delta.path("thinking"), deltas);
            case "input_json_delta" ->
                arguments(index, delta.path("partial_json").asString(""), deltas);
            case "signature_delta", "citations_delta" -> {}
            default ->
                throw DialectException.unreadable("it has a delta of type '"
                        + Words.shortened(delta.path("type").asString("")) + "'");
        }
    }

    /** A call without arguments is written as none at all. */
    private void endBlock(int index, List<Delta> deltas) {
        if (bare.contains(index)) {
            arguments(index, "{}", deltas);
        }
    }

    private void arguments(int index, String text, List<Delta> deltas) {
        Integer number = calls.get(index);
        if (number == null) {
            throw DialectException.unreadable("it has arguments of a call that has not begun");
        }
        if (!text.isEmpty()) {
            bare.remove(index);
            deltas.add(new Delta.Arguments(number, text));
        }
    }

    private static void stopped(JsonNode message, List<Delta> deltas) {
        JsonNode reason = message.path("stop_reason");
        if (reason.isString()) {
            deltas.add(new Delta.Stopped(
                    switch (reason.stringValue()) {
                        case "max_tokens", "model_context_window_exceeded" -> Stop.LENGTH;
                        case "stop_sequence" -> Stop.SEQUENCE;
                        case "tool_use" -> Stop.CALLS;
                        case "refusal" -> Stop.FILTERED;
                        default -> Stop.END;
                    },
                    message.path("stop_sequence").asString("")));
        }
    }

    /** What was remembered is counted beside the input there. */
    private static void used(JsonNode usage, List<Delta> deltas) {
        if (usage.isObject()) {
            long remembered = usage.path("cache_read_input_tokens").asLong(0);
            deltas.add(new Delta.Used(new Usage(
                    usage.path("input_tokens").asLong(0)
                            + remembered
                            + usage.path("cache_creation_input_tokens").asLong(0),
                    remembered,
                    usage.path("output_tokens").asLong(0))));
        }
    }
}
