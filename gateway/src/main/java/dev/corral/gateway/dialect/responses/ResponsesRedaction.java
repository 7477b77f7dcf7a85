package dev.corral.gateway.dialect.responses;

import dev.corral.gateway.dialect.JsonRedaction;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.policies.policy.ContentSource;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Writes requests, responses and their items anew, without what is redacted. */
final class ResponsesRedaction {

    static final JsonRedaction FIELDS = new JsonRedaction(
            Set.of(
                    "role",
                    "type",
                    "id",
                    "item_id",
                    "call_id",
                    "file_id",
                    "status",
                    "phase",
                    "model",
                    "object",
                    "url",
                    "image_url",
                    "encrypted_content",
                    "obfuscation"),
            Map.of());

    private static final Map<String, ContentSource> ROLES = Map.of(
            "system", ContentSource.SYSTEM,
            "developer", ContentSource.SYSTEM,
            "user", ContentSource.USER,
            "assistant", ContentSource.ASSISTANT);

    private ResponsesRedaction() {}

    static JsonNode request(JsonNode body, Redactor redactor) {
        return fields(body, "input", ContentSource.USER, ContentSource.SYSTEM, redactor);
    }

    static JsonNode response(JsonNode body, Redactor redactor) {
        return fields(body, "output", ContentSource.ASSISTANT, ContentSource.ASSISTANT, redactor);
    }

    /** One item, in the name of whoever says it. */
    static JsonNode item(JsonNode item, ContentSource otherwise, Redactor redactor) {
        return FIELDS.redacted(item, source(item, otherwise), redactor);
    }

    /** Who says an item. */
    static ContentSource source(JsonNode item, ContentSource otherwise) {
        String type = item.path("type").asString("message");
        if (type.equals("message")) {
            return ROLES.getOrDefault(item.path("role").asString(""), otherwise);
        }
        if (type.equals("reasoning")) {
            return ContentSource.REASONING;
        }
        if (type.endsWith("_output")) {
            return ContentSource.TOOL_RESULT;
        }
        return type.endsWith("_call") || Items.HOSTED.contains(type) ? ContentSource.TOOL_CALL : otherwise;
    }

    private static JsonNode fields(
            JsonNode body, String list, ContentSource ofItems, ContentSource ofOthers, Redactor redactor) {
        ObjectNode redacted = JsonNodeFactory.instance.objectNode();
        body.properties().forEach(field -> {
            if (field.getKey().equals(list) && field.getValue().isArray()) {
                ArrayNode items = redacted.putArray(list);
                field.getValue().values().forEach(item -> items.add(item(item, ofItems, redactor)));
            } else {
                ContentSource source =
                        field.getKey().equals(list) ? ofItems : ToolCalls.source(field.getKey(), ofOthers);
                redacted.set(
                        field.getKey(), FIELDS.redactField(body, field.getKey(), field.getValue(), source, redactor));
            }
        });
        return redacted;
    }
}
