package dev.corral.gateway.dialect.openai;

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

/** Writes requests and answers anew, without what is redacted. */
final class ChatRedaction {

    static final JsonRedaction FIELDS = new JsonRedaction(
            Set.of(
                    "role",
                    "type",
                    "id",
                    "tool_call_id",
                    "model",
                    "object",
                    "url",
                    "image_url",
                    "finish_reason",
                    "stop_reason",
                    "index"),
            Map.of(
                    "reasoning_content", ContentSource.REASONING,
                    "reasoning", ContentSource.REASONING,
                    "thinking", ContentSource.REASONING,
                    "tool_calls", ContentSource.TOOL_CALL,
                    "function_call", ContentSource.TOOL_CALL));

    private static final Map<String, ContentSource> ROLES = Map.of(
            "system", ContentSource.SYSTEM,
            "developer", ContentSource.SYSTEM,
            "user", ContentSource.USER,
            "assistant", ContentSource.ASSISTANT,
            "tool", ContentSource.TOOL_RESULT,
            "function", ContentSource.TOOL_RESULT);

    private ChatRedaction() {}

    /** A chat request; what is beside its messages are the application's words. */
    static JsonNode request(JsonNode body, Redactor redactor) {
        ObjectNode redacted = JsonNodeFactory.instance.objectNode();
        body.properties().forEach(field -> {
            String name = field.getKey();
            if (name.equals("messages")) {
                ArrayNode messages = redacted.putArray(name);
                field.getValue()
                        .values()
                        .forEach(message -> messages.add(FIELDS.redacted(message, role(message), redactor)));
            } else {
                redacted.set(
                        name,
                        FIELDS.redactField(
                                body, name, field.getValue(), ToolCalls.source(name, ContentSource.SYSTEM), redactor));
            }
        });
        return redacted;
    }

    /** A request to complete a text. */
    static JsonNode prompts(JsonNode body, Redactor redactor) {
        ObjectNode redacted = JsonNodeFactory.instance.objectNode();
        body.properties()
                .forEach(field -> redacted.set(
                        field.getKey(),
                        FIELDS.redactField(
                                body,
                                field.getKey(),
                                field.getValue(),
                                CompletionRequestReader.isPrompt(field.getKey())
                                        ? ContentSource.USER
                                        : ToolCalls.source(field.getKey(), ContentSource.SYSTEM),
                                redactor)));
        return redacted;
    }

    static JsonNode answer(JsonNode body, Redactor redactor) {
        return FIELDS.redacted(body, ContentSource.ASSISTANT, redactor);
    }

    private static ContentSource role(JsonNode message) {
        return ROLES.getOrDefault(message.path("role").asString(""), ContentSource.USER);
    }
}
