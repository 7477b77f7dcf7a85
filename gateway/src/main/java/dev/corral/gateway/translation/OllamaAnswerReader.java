package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.ToolCalls;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;

/** Answers of chats: a whole one is a stream of a single line. Calls come whole, and may have no identifier. */
final class OllamaAnswerReader extends AnswerReader {

    private final String callPrefix;
    private int calls;

    OllamaAnswerReader(String callPrefix) {
        this.callPrefix = callPrefix;
    }

    @Override
    List<Delta> frame(byte[] line) {
        String text;
        try {
            text = StrictJson.utf8(line);
        } catch (StrictJson.Malformed e) {
            throw DialectException.unreadable("a line of its stream cannot be read: " + e.getMessage());
        }
        return text.isBlank() ? List.of() : value(StrictJson.event(text));
    }

    @Override
    List<Delta> whole(JsonNode answer) {
        if (!answer.path("message").isObject()) {
            throw DialectException.unreadable("it has no 'message'");
        }
        List<Delta> deltas = next(answer);
        if (!answer.path("done").asBoolean(false)) {
            throw incomplete();
        }
        return deltas;
    }

    @Override
    List<Delta> next(JsonNode line) {
        List<Delta> deltas = list(begin(MissingNode.getInstance(), line.path("model")));
        JsonNode message = line.path("message");
        thought(message.path("thinking"), deltas);
        text(message.get("content"), deltas);
        for (JsonNode call : message.path("tool_calls").values()) {
            JsonNode function = call.path("function");
            String id = call.path("id").asString("");
            deltas.add(new Delta.Call(
                    calls,
                    id.isEmpty() ? callPrefix + calls : id,
                    function.path("name").asString("")));
            JsonNode arguments = function.get("arguments");
            deltas.add(new Delta.Arguments(
                    calls, arguments == null || arguments.isNull() ? "{}" : ToolCalls.arguments(arguments)));
            calls++;
        }
        if (line.path("done").asBoolean(false)) {
            deltas.add(new Delta.Stopped(stop(line.path("done_reason").asString("")), ""));
            deltas.add(new Delta.Used(new Usage(
                    line.path("prompt_eval_count").asLong(0),
                    0,
                    line.path("eval_count").asLong(0))));
            deltas.add(new Delta.End());
        }
        return deltas;
    }

    private Stop stop(String reason) {
        return switch (reason) {
            case "length" -> Stop.LENGTH;
            case "content_filter" -> Stop.FILTERED;
            default -> calls > 0 ? Stop.CALLS : Stop.END;
        };
    }
}
