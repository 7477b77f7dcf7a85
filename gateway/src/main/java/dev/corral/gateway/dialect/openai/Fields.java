package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.guardmodels.conversation.Part;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The fields of one JSON object. Each is to be taken by a reader; what is left at the end was read by nobody. */
final class Fields {

    private final Map<String, JsonNode> left = new LinkedHashMap<>();
    private final Set<String> known = new HashSet<>();
    private final String where;

    /**
     * All fields of an object.
     *
     * @param where its place, such as {@code messages[0]}; empty for the whole body
     */
    Fields(JsonNode object, String where) {
        object.properties().forEach(field -> left.put(field.getKey(), field.getValue()));
        this.where = where;
    }

    /** The value of a field, which thereby counts as read; null when it is missing or JSON's null. */
    @Nullable
    JsonNode take(String name) {
        known.add(name);
        JsonNode value = left.remove(name);
        return value == null || value.isNull() ? null : value;
    }

    /** The place of a field. */
    String at(String name) {
        return where.isEmpty() ? name : where + "." + name;
    }

    /** An opaque part for each field that was not taken, except those whose value the predicate excuses. */
    List<Part> unread(Predicate<JsonNode> excused) {
        return left.entrySet().stream()
                .filter(field -> !field.getValue().isNull() && !excused.test(field.getValue()))
                .<Part>map(field -> new Part.OpaquePart(
                        "field '" + Words.shortened(field.getKey()) + "'", at(Words.shortened(field.getKey()))))
                .toList();
    }

    /**
     * Refuses a field whose name differs from a known one only by case. Go's parser, and with it Ollama, takes such a
     * field for the known one: it would replace what was judged.
     */
    void refuseLookalikes() {
        for (String name : left.keySet()) {
            // by way of upper case, which also folds U+017F, the long s, as Go does
            String folded = name.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT);
            if (known.contains(folded)) {
                throw new DialectException(GatewayError.invalidRequest(
                        at(Words.shortened(name)),
                        "'" + at(Words.shortened(name)) + "' differs from '" + at(folded)
                                + "' only by case, and an upstream may take the one for the other; use '" + folded
                                + "'"));
            }
        }
    }
}
