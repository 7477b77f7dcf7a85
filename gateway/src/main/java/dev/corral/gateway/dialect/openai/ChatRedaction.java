package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.Redactor;
import dev.corral.policies.pattern.Redaction;
import dev.corral.policies.policy.ContentSource;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Writes requests and answers anew, without what is redacted. Everything else keeps its value. */
final class ChatRedaction {

    /** Identifiers, kinds and addresses: not texts that anybody reads. */
    private static final Set<String> NO_TEXT = Set.of(
            "role", "type", "id", "tool_call_id", "model", "object", "url", "image_url", "finish_reason", "index");

    private static final Set<String> REASONING = Set.of("reasoning_content", "reasoning", "thinking");
    private static final Set<String> CALLS = Set.of("tool_calls", "function_call");
    private static final String LOGPROBS = "logprobs";

    private static final Map<String, ContentSource> ROLES = Map.of(
            "system", ContentSource.SYSTEM,
            "developer", ContentSource.SYSTEM,
            "user", ContentSource.USER,
            "assistant", ContentSource.ASSISTANT,
            "tool", ContentSource.TOOL_RESULT,
            "function", ContentSource.TOOL_RESULT);

    private ChatRedaction() {}

    static JsonNode request(JsonNode body, Redactor redactor) {
        ObjectNode redacted = JsonNodeFactory.instance.objectNode();
        BiFunction<String, ContentSource, String> edit = edit(redactor);
        body.properties().forEach(field -> {
            String name = field.getKey();
            if (name.equals("messages")) {
                ArrayNode messages = redacted.putArray(name);
                field.getValue().values().forEach(message -> messages.add(copy(message, role(message), edit)));
            } else {
                redacted.set(
                        name,
                        NO_TEXT.contains(name) ? field.getValue() : copy(field.getValue(), ContentSource.SYSTEM, edit));
            }
        });
        return redacted;
    }

    /** Log probabilities spell the text once more, token by token; they go. */
    static JsonNode answer(JsonNode body, Redactor redactor) {
        return copy(body, ContentSource.ASSISTANT, edit(redactor));
    }

    static ContentSource within(String field, ContentSource outer) {
        if (REASONING.contains(field)) {
            return ContentSource.REASONING;
        }
        return CALLS.contains(field) ? ContentSource.TOOL_CALL : outer;
    }

    static boolean isText(String field) {
        return !NO_TEXT.contains(field);
    }

    private static ContentSource role(JsonNode message) {
        return ROLES.getOrDefault(message.path("role").asString(""), ContentSource.USER);
    }

    private static BiFunction<String, ContentSource, String> edit(Redactor redactor) {
        return (text, source) -> {
            Redaction redaction = redactor.redaction(text, source);
            return redaction.isEmpty() ? text : redaction.apply(text);
        };
    }

    private static JsonNode copy(JsonNode value, ContentSource source, BiFunction<String, ContentSource, String> edit) {
        if (value.isString()) {
            return JsonNodeFactory.instance.stringNode(edit.apply(value.stringValue(), source));
        }
        if (value.isArray()) {
            ArrayNode copy = JsonNodeFactory.instance.arrayNode();
            value.values().forEach(item -> copy.add(copy(item, source, edit)));
            return copy;
        }
        if (value.isObject()) {
            ObjectNode copy = JsonNodeFactory.instance.objectNode();
            value.properties().forEach(field -> {
                String name = field.getKey();
                if (name.equals(LOGPROBS) && field.getValue().isObject()) {
                    copy.putNull(name);
                } else {
                    copy.set(
                            name, isText(name) ? copy(field.getValue(), within(name, source), edit) : field.getValue());
                }
            });
            return copy;
        }
        return value;
    }
}
