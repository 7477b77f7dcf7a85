package dev.corral.gateway.dialect;

import dev.corral.guardmodels.conversation.Part;
import dev.corral.policies.policy.ContentSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Calls of tools as parts of a turn, and where tools are defined. */
public final class ToolCalls {

    private static final Set<String> DEFINITIONS = Set.of("tools", "functions");

    private ToolCalls() {}

    /** Who speaks in a field of a request: beside the application's instructions are its definitions of tools. */
    public static ContentSource source(String field, ContentSource otherwise) {
        return otherwise == ContentSource.SYSTEM && DEFINITIONS.contains(field)
                ? ContentSource.TOOL_DEFINITION
                : otherwise;
    }

    /** A value of a field with definitions, of tools or of something else, as what it is. */
    static Part defined(String field, JsonNode value, String where) {
        Part.TextPart rendered = Words.rendered(value, where);
        return DEFINITIONS.contains(field)
                ? new Part.ToolDefinitionPart(ToolNames.of(value), rendered.text(), where)
                : rendered;
    }

    /** A call; beside it its arguments as a tool reads them, where they are written in another way. */
    public static List<Part> parts(String name, String arguments, String where) {
        List<Part> parts = new ArrayList<>();
        String written = Words.wellFormed(arguments);
        parts.add(new Part.ToolCallPart(Words.wellFormed(name), written, where));
        Words.resolved(written).stream().skip(1).forEach(resolved -> parts.add(new Part.TextPart(resolved, where)));
        return parts;
    }

    /**
     * All calls of a request's list; none where there is no list.
     *
     * @param reader reads one call, which is at the place that it is given
     * @throws DialectException if it is no list
     */
    public static List<Part> all(
            @Nullable JsonNode calls, String where, BiFunction<JsonNode, String, List<Part>> reader) {
        if (calls == null) {
            return List.of();
        }
        if (!calls.isArray()) {
            throw DialectException.invalidRequest(
                    where, "'" + where + "' must be a list of calls, not " + Fields.kind(calls));
        }
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < calls.size(); i++) {
            parts.addAll(reader.apply(calls.get(i), where + "[" + i + "]"));
        }
        return parts;
    }

    /** Arguments as text, whether they came as a text with JSON inside or as the JSON itself. */
    public static String arguments(JsonNode value) {
        return value.isString() ? value.stringValue() : StrictJson.render(value);
    }
}
