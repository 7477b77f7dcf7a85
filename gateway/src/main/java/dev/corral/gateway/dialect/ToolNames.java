package dev.corral.gateway.dialect;

import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Turn;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * The names of tools, by the ids of their calls. A result says which call it answers, and seldom of which tool; the calls
 * stand in the messages before it. Not thread-safe: one for each request.
 */
public final class ToolNames {

    private static final List<String> NAMES = List.of("name", "tool_name");
    private static final List<String> NESTED = List.of("function", "custom");
    private static final List<String> CALLS = List.of("id", "call_id");
    private static final List<String> ANSWERED = List.of("tool_call_id", "tool_use_id", "call_id");
    private static final String TYPE = "type";

    private final Map<String, String> byCall = new HashMap<>();

    /** Learns the calls of a message: it may be one, or have them in its list of calls or of blocks. */
    public void learn(JsonNode message) {
        Stream.of(
                        Stream.of(message),
                        message.path("tool_calls").values().stream(),
                        message.path("content").values().stream())
                .flatMap(calls -> calls)
                .forEach(this::learnCall);
    }

    /** A turn whose results have the name of their tool, where it is known by the call or by the message itself. */
    public Turn named(Turn turn, JsonNode message) {
        return turn.parts().stream().noneMatch(Part.ToolResultPart.class::isInstance)
                ? turn
                : new Turn(turn.role(), named(turn.parts(), message));
    }

    /** The name of what is defined or called: its own, or that of the function in it; a tool of the upstream's has a type. */
    static String of(JsonNode tool) {
        return Stream.concat(
                        Stream.concat(Stream.of(tool), NESTED.stream().map(tool::path))
                                .flatMap(object -> NAMES.stream().map(object::path)),
                        Stream.of(tool.path(TYPE)))
                .map(name -> name.asString(""))
                .filter(name -> !name.isEmpty())
                .findFirst()
                .orElse("");
    }

    private void learnCall(JsonNode call) {
        String name = of(call);
        texts(call, CALLS).filter(id -> !name.isEmpty() && !isResult(call)).forEach(id -> byCall.put(id, name));
    }

    private static boolean isResult(JsonNode call) {
        return call.path(TYPE).asString("").endsWith("_output")
                || call.path("role").isString();
    }

    private List<Part> named(List<Part> parts, JsonNode message) {
        String name = texts(message, ANSWERED)
                .flatMap(id -> Stream.ofNullable(byCall.get(id)))
                .findFirst()
                .orElseGet(() -> texts(message, NAMES).findFirst().orElse(""));
        return parts.stream()
                .map(part -> part instanceof Part.ToolResultPart result
                        ? new Part.ToolResultPart(result.text(), result.where(), name)
                        : part)
                .toList();
    }

    private static Stream<String> texts(JsonNode object, List<String> fields) {
        return fields.stream().map(field -> object.path(field).asString("")).filter(text -> !text.isEmpty());
    }
}
