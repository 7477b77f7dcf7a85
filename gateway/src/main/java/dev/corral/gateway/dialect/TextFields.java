package dev.corral.gateway.dialect;

import dev.corral.policies.pattern.Redaction;
import dev.corral.policies.policy.ContentSource;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Which fields of a dialect's JSON hold text, and whose; writes it anew without what is redacted of them. */
public interface TextFields {

    /** The field of log probabilities. */
    String LOGPROBS = "logprobs";

    /** Whether a field holds text that somebody reads, rather than an identifier, a kind, an address or binary data. */
    boolean isText(JsonNode object, String field);

    /** Who says what is in a field. */
    ContentSource source(JsonNode object, String field, ContentSource outer);

    /**
     * What stays of a field. Log probabilities of an answer spell a text once more, token by token, and go; in a request the
     * application asks for them.
     */
    default Optional<JsonNode> redacted(
            JsonNode object, String field, JsonNode value, ContentSource source, Redactor redactor) {
        if (!isText(object, field)) {
            return Optional.of(value);
        }
        return field.equals(LOGPROBS) && source != ContentSource.SYSTEM
                ? Optional.empty()
                : Optional.of(redacted(value, source(object, field, source), redactor));
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
            value.properties()
                    .forEach(field -> redacted(value, field.getKey(), field.getValue(), source, redactor)
                            .ifPresent(left -> copy.set(field.getKey(), left)));
            return copy;
        }
        return value;
    }

    /** A request's body; what nobody else says are the application's words. */
    default byte[] redactedRequest(byte[] body, Redactor redactor) {
        return StrictJson.bytes(redacted(StrictJson.request(body), ContentSource.SYSTEM, redactor));
    }

    /** A whole answer's body. */
    default byte[] redactedAnswer(byte[] body, Redactor redactor) {
        return StrictJson.bytes(redacted(StrictJson.answer(body), ContentSource.ASSISTANT, redactor));
    }

    private static String text(String text, ContentSource source, Redactor redactor) {
        Redaction redaction = redactor.redaction(text, source);
        return redaction.isEmpty() ? text : redaction.apply(text);
    }
}
