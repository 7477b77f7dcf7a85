package dev.corral.gateway.dialect;

import dev.corral.policies.pattern.Redaction;
import dev.corral.policies.policy.ContentSource;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes JSON anew without what is redacted of its texts, wherever they are in it. Everything else keeps its value, except
 * log probabilities, which spell the text once more, token by token: they go.
 */
public final class JsonRedaction {

    private static final String LOGPROBS = "logprobs";

    private final Set<String> noTexts;
    private final Map<String, ContentSource> sources;

    /**
     * For one kind of body.
     *
     * @param noTexts fields with identifiers, kinds and addresses, which stay as they are
     * @param sources fields in which somebody else speaks than around them
     */
    public JsonRedaction(Set<String> noTexts, Map<String, ContentSource> sources) {
        this.noTexts = Set.copyOf(noTexts);
        this.sources = Map.copyOf(sources);
    }

    /** Whether a field may hold text. */
    public boolean isText(String field) {
        return !noTexts.contains(field);
    }

    /** Who speaks in a field. */
    public ContentSource within(String field, ContentSource around) {
        return sources.getOrDefault(field, around);
    }

    /** The same value without the redacted spans of its texts. */
    public JsonNode redact(JsonNode value, ContentSource source, Redactor redactor) {
        if (value.isString()) {
            return JsonNodeFactory.instance.stringNode(redact(value.stringValue(), source, redactor));
        }
        if (value.isArray()) {
            ArrayNode copy = JsonNodeFactory.instance.arrayNode();
            value.values().forEach(item -> copy.add(redact(item, source, redactor)));
            return copy;
        }
        if (value.isObject()) {
            ObjectNode copy = JsonNodeFactory.instance.objectNode();
            value.properties()
                    .forEach(field ->
                            copy.set(field.getKey(), redactField(field.getKey(), field.getValue(), source, redactor)));
            return copy;
        }
        return value;
    }

    /** The same for the value of one field. */
    public JsonNode redactField(String name, JsonNode value, ContentSource source, Redactor redactor) {
        if (name.equals(LOGPROBS) && value.isContainer()) {
            return value.isObject() ? JsonNodeFactory.instance.nullNode() : JsonNodeFactory.instance.arrayNode();
        }
        return isText(name) ? redact(value, within(name, source), redactor) : value;
    }

    private static String redact(String text, ContentSource source, Redactor redactor) {
        Redaction redaction = redactor.redaction(text, source);
        return redaction.isEmpty() ? text : redaction.apply(text);
    }
}
