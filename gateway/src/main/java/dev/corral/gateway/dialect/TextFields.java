package dev.corral.gateway.dialect;

import dev.corral.policies.pattern.Redaction;
import dev.corral.policies.policy.ContentSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Which fields of a dialect's JSON hold text, and whose. */
public interface TextFields {

    /** Whether a field holds text that somebody reads, rather than an identifier, a kind, an address or binary data. */
    boolean isText(JsonNode object, String field);

    /** Who says what is in a field. */
    ContentSource source(JsonNode object, String field, ContentSource outer);

    /** A field that spells a text once more, such as log probabilities: it goes where anything is redacted. */
    default boolean repeats(String field) {
        return field.equals("logprobs");
    }

    /** A value without what is redacted of its texts. Everything else keeps its value. */
    default JsonNode redacted(JsonNode value, ContentSource source, Redactor redactor) {
        if (value.isString()) {
            return JsonNodeFactory.instance.stringNode(text(value.stringValue(), source, redactor));
        }
        if (value.isArray()) {
            ArrayNode copy = JsonNodeFactory.instance.arrayNode();
            value.values().forEach(item -> copy.add(redacted(item, source, redactor)));
            return copy;
        }
        if (value.isObject()) {
            ObjectNode copy = JsonNodeFactory.instance.objectNode();
            value.properties().forEach(field -> {
                String name = field.getKey();
                if (!isText(value, name)) {
                    copy.set(name, field.getValue());
                } else if (!repeats(name)) {
                    copy.set(name, redacted(field.getValue(), source(value, name, source), redactor));
                }
            });
            return copy;
        }
        return value;
    }

    private static String text(String text, ContentSource source, Redactor redactor) {
        Redaction redaction = redactor.redaction(text, source);
        return redaction.isEmpty() ? text : redaction.apply(text);
    }
}
