package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.ToolCalls;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Completions of chats, and their chunks. */
final class OpenAiAnswerReader extends AnswerReader {

    private static final List<String> THOUGHTS = List.of("reasoning_content", "reasoning", "thinking");

    private record Call(int number, String id) {}

    private final String callPrefix;
    private final Map<Integer, Call> byIndex = new HashMap<>();
    private @Nullable Call latest;
    private int calls;

    OpenAiAnswerReader(String callPrefix) {
        this.callPrefix = callPrefix;
    }

    @Override
    List<Delta> whole(JsonNode answer) {
        if (!answer.path("choices").isArray() || answer.path("choices").isEmpty()) {
            throw DialectException.unreadable("it has no 'choices'");
        }
        List<Delta> deltas = read(answer, "message");
        deltas.add(new Delta.End());
        return deltas;
    }

    @Override
    List<Delta> next(JsonNode chunk) {
        return read(chunk, "delta");
    }

    private List<Delta> read(JsonNode answer, String message) {
        List<Delta> deltas = list(begin(answer.path("id"), answer.path("model")));
        for (JsonNode choice : answer.path("choices").values()) {
            if (choice.path("index").asInt(0) != 0) {
                throw DialectException.unreadable("it has several choices, where one was asked for");
            }
            said(choice.path(message), deltas);
            JsonNode finish = choice.path("finish_reason");
            if (finish.isString()) {
                deltas.add(new Delta.Stopped(stop(finish.stringValue()), ""));
            }
        }
        JsonNode usage = answer.path("usage");
        if (usage.isObject()) {
            deltas.add(new Delta.Used(new Usage(
                    usage.path("prompt_tokens").asLong(0),
                    usage.path("prompt_tokens_details").path("cached_tokens").asLong(0),
                    usage.path("completion_tokens").asLong(0))));
        }
        return deltas;
    }

    private void said(JsonNode message, List<Delta> deltas) {
        THOUGHTS.stream()
                .map(message::path)
                .filter(JsonNode::isString)
                .findFirst()
                .ifPresent(thought -> thought(thought, deltas));
        text(message.get("content"), deltas);
        text(message.get("refusal"), deltas);
        if (message.hasNonNull("function_call")) {
            throw DialectException.unreadable("it calls a function in the form of before there were tools");
        }
        for (JsonNode call : message.path("tool_calls").values()) {
            call(call, deltas);
        }
    }

    /**
     * Some servers send no index, and some send 0 for each of several calls: there a new identifier, or a name where there
     * is no identifier, begins a new call.
     */
    private void call(JsonNode fragment, List<Delta> deltas) {
        JsonNode function = fragment.path("function");
        if (!function.isObject()) {
            throw DialectException.unreadable("it has a call that is no function, but " + Fields.kind(function));
        }
        JsonNode index = fragment.path("index");
        String id = fragment.path("id").asString("");
        String name = function.path("name").asString("");
        Call known = index.isIntegralNumber() ? byIndex.get(index.asInt()) : latest;
        boolean anotherId = known != null && !id.isEmpty() && !known.id.equals(id);
        boolean named = !index.isIntegralNumber() && id.isEmpty() && !name.isEmpty();
        if (known == null || anotherId || named) {
            known = new Call(calls, id.isEmpty() ? callPrefix + calls : id);
            calls++;
            deltas.add(new Delta.Call(known.number, known.id, name));
        }
        if (index.isIntegralNumber()) {
            byIndex.put(index.asInt(), known);
        }
        latest = known;
        JsonNode arguments = function.get("arguments");
        if (arguments != null && !arguments.isNull()) {
            String text = ToolCalls.arguments(arguments);
            if (!text.isEmpty()) {
                deltas.add(new Delta.Arguments(known.number, text));
            }
        }
    }

    private static Stop stop(String reason) {
        return switch (reason) {
            case "length" -> Stop.LENGTH;
            case "tool_calls", "function_call" -> Stop.CALLS;
            case "content_filter" -> Stop.FILTERED;
            default -> Stop.END;
        };
    }
}
