package dev.corral.gateway.dialect.ollama;

import dev.corral.gateway.dialect.TextFields;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.policies.policy.ContentSource;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** Where the texts of requests and answers are. */
enum OllamaTexts implements TextFields {
    OLLAMA;

    private static final Set<String> NO_TEXT = Set.of(
            "model",
            "role",
            "images",
            "created_at",
            "done_reason",
            "tool_call_id",
            "id",
            "type",
            "keep_alive",
            "context",
            "remote_model",
            "remote_host");

    private static final Map<String, ContentSource> FIELDS = Map.of(
            "tool_calls", ContentSource.TOOL_CALL,
            "thinking", ContentSource.REASONING,
            "prompt", ContentSource.USER,
            "suffix", ContentSource.USER,
            "input", ContentSource.USER,
            "response", ContentSource.ASSISTANT);

    private static final Map<String, ContentSource> ROLES = Map.of(
            "system", ContentSource.SYSTEM,
            "user", ContentSource.USER,
            "assistant", ContentSource.ASSISTANT,
            "tool", ContentSource.TOOL_RESULT);

    @Override
    public boolean isText(JsonNode object, String field) {
        return !NO_TEXT.contains(field);
    }

    @Override
    public ContentSource source(JsonNode object, String field, ContentSource outer) {
        if (outer == ContentSource.TOOL_CALL) {
            return outer;
        }
        ContentSource own = FIELDS.get(field);
        return own != null
                ? own
                : ToolCalls.source(field, ROLES.getOrDefault(object.path("role").asString(""), outer));
    }
}
