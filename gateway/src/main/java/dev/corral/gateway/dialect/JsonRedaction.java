package dev.corral.gateway.dialect;

import dev.corral.policies.policy.ContentSource;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * Fields that are known by their names, wherever they are. Log probabilities are emptied rather than taken out: clients of
 * these APIs may read the field.
 */
public final class JsonRedaction implements TextFields {

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

    @Override
    public boolean isText(JsonNode object, String field) {
        return !noTexts.contains(field);
    }

    @Override
    public ContentSource source(JsonNode object, String field, ContentSource outer) {
        return sources.getOrDefault(field, outer);
    }

    @Override
    public Optional<JsonNode> redacted(
            JsonNode object, String field, JsonNode value, ContentSource source, Redactor redactor) {
        return Optional.of(redactField(object, field, value, source, redactor));
    }

    /** The value of one field. */
    public JsonNode redactField(
            JsonNode object, String field, JsonNode value, ContentSource source, Redactor redactor) {
        if (field.equals(LOGPROBS) && value.isContainer()) {
            return value.isObject() ? JsonNodeFactory.instance.nullNode() : JsonNodeFactory.instance.arrayNode();
        }
        return isText(object, field) ? redacted(value, source(object, field, source), redactor) : value;
    }
}
