package dev.corral.gateway.dialect;

import dev.corral.guardmodels.conversation.Part;
import java.util.ArrayList;
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
public final class Fields {

    private final Map<String, JsonNode> left = new LinkedHashMap<>();
    private final Set<String> known = new HashSet<>();
    private final String where;

    /**
     * All fields of an object.
     *
     * @param where its place, such as {@code messages[0]}; empty for the whole body
     */
    public Fields(JsonNode object, String where) {
        object.properties().forEach(field -> left.put(field.getKey(), field.getValue()));
        this.where = where;
    }

    /**
     * The fields of a value that must be an object.
     *
     * @param what it should be, such as {@code a message}
     * @throws DialectException where it is none
     */
    public static Fields of(JsonNode value, String where, String what) {
        if (!value.isObject()) {
            throw DialectException.invalidRequest(
                    where, "'" + where + "' must be " + what + ", which is an object, not " + kind(value));
        }
        return new Fields(value, where);
    }

    /** The value of a field, which thereby counts as read; null when it is missing or JSON's null. */
    public @Nullable JsonNode take(String name) {
        known.add(name);
        JsonNode value = left.remove(name);
        return value == null || value.isNull() ? null : value;
    }

    /** The place of a field. */
    public String at(String name) {
        return where.isEmpty() ? name : where + "." + name;
    }

    /** The place of the object. */
    public String where() {
        return where;
    }

    /** The names of the fields that were not taken yet. */
    public List<String> remaining() {
        return List.copyOf(left.keySet());
    }

    /**
     * Takes a field that must be a text.
     *
     * @throws DialectException where it is missing, or no text
     */
    public String text(String name) {
        JsonNode text = take(name);
        if (text == null || !text.isString()) {
            throw DialectException.invalidRequest(
                    at(name), "'" + at(name) + "' must be a text, but is " + (text == null ? "missing" : kind(text)));
        }
        return text.stringValue();
    }

    /** Takes a field that may be a text of at most so many characters; empty where it is missing. */
    public String name(String name, int maxCharacters) {
        JsonNode text = take(name);
        if (text == null) {
            return "";
        }
        if (!text.isString()) {
            throw DialectException.invalidRequest(at(name), "'" + at(name) + "' must be a text, not " + kind(text));
        }
        if (text.stringValue().length() > maxCharacters) {
            throw DialectException.invalidRequest(
                    at(name), "'" + at(name) + "' must have at most " + maxCharacters + " characters");
        }
        return text.stringValue();
    }

    /** Takes a field that must be a number where it is there. */
    public void number(String name) {
        JsonNode value = take(name);
        if (value != null && !value.isNumber()) {
            throw DialectException.invalidRequest(at(name), "'" + at(name) + "' must be a number, not " + kind(value));
        }
    }

    /** Takes a field that must be true or false where it is there; false where it is not. */
    public boolean flag(String name) {
        JsonNode value = take(name);
        if (value != null && !value.isBoolean()) {
            throw DialectException.invalidRequest(
                    at(name), "'" + at(name) + "' must be true or false, not " + kind(value));
        }
        return value != null && value.booleanValue();
    }

    /** Takes a setting or an identifier; what has blanks, or is too long for that, is judged as text. */
    public List<Part> setting(String name) {
        JsonNode value = take(name);
        return value == null || Words.isSetting(value) ? List.of() : List.of(Words.rendered(value, at(name)));
    }

    /** Takes phrases that no model reads, such as where to stop, and notes on a request; long ones are judged as text. */
    public List<Part> phrases(String name) {
        JsonNode value = take(name);
        return value == null || Words.isNeutralWithNames(value) ? List.of() : List.of(Words.rendered(value, at(name)));
    }

    /** Takes whatever is in a field as text; numbers and the like have nothing to read. */
    public List<Part> words(String name) {
        JsonNode value = take(name);
        return value == null || Words.isTextless(value) ? List.of() : List.of(Words.rendered(value, at(name)));
    }

    /** The same, each item of a list by itself; those of tools by the names of the tools. */
    public List<Part> definition(String name) {
        JsonNode value = take(name);
        if (value == null || Words.isTextless(value)) {
            return List.of();
        }
        if (!value.isArray()) {
            return List.of(ToolCalls.defined(name, value, at(name)));
        }
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < value.size(); i++) {
            parts.add(ToolCalls.defined(name, value.get(i), at(name) + "[" + i + "]"));
        }
        return parts;
    }

    /**
     * Takes a list.
     *
     * @throws DialectException where it is missing, no list, empty or longer than so many items
     */
    public List<JsonNode> items(String name, int max) {
        JsonNode value = take(name);
        if (value == null || !value.isArray() || value.isEmpty()) {
            throw DialectException.invalidRequest(
                    at(name),
                    "'" + at(name) + "' must be a list with at least one item, but is "
                            + (value == null ? "missing or null" : value.isArray() ? "empty" : kind(value)));
        }
        if (value.size() > max) {
            throw DialectException.invalidRequest(
                    at(name),
                    "'" + at(name) + "' has " + value.size() + " items, and each is judged with those before it; send"
                            + " at most " + max);
        }
        return List.copyOf(value.values());
    }

    /** Opaque parts for whatever nobody took; a name that an upstream could take for a known one is refused. */
    public List<Part> rest() {
        refuseLookalikes();
        return unread(_ -> false);
    }

    /** What a value is, for messages to people. */
    public static String kind(JsonNode value) {
        return switch (value.getNodeType()) {
            case OBJECT -> "an object";
            case ARRAY -> "a list";
            case STRING -> "a text";
            case NUMBER -> "a number";
            case BOOLEAN -> "true or false";
            default -> "null";
        };
    }

    /** An opaque part for each field that was not taken, except those whose value the predicate excuses. */
    public List<Part> unread(Predicate<JsonNode> excused) {
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
    public void refuseLookalikes() {
        for (String name : left.keySet()) {
            // by way of upper case, which also folds U+017F, the long s, as Go does
            String folded = name.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT);
            if (known.contains(folded)) {
                throw DialectException.invalidRequest(
                        at(Words.shortened(name)),
                        "'" + at(Words.shortened(name)) + "' differs from '" + at(folded)
                                + "' only by case, and an upstream may take the one for the other; use '" + folded
                                + "'");
            }
        }
    }
}
