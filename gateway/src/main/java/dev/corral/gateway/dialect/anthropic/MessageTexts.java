package dev.corral.gateway.dialect.anthropic;

import dev.corral.gateway.dialect.TextFields;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.policies.policy.ContentSource;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** Where the texts of requests, messages and events are. */
enum MessageTexts implements TextFields {
    MESSAGES;

    private static final Set<String> NO_TEXT = Set.of(
            "role",
            "type",
            "id",
            "tool_use_id",
            "model",
            "media_type",
            "url",
            "file_id",
            "signature",
            "stop_reason",
            "index",
            "usage",
            "cache_control");

    private static final Map<String, ContentSource> ROLES =
            Map.of("user", ContentSource.USER, "assistant", ContentSource.ASSISTANT, "system", ContentSource.SYSTEM);

    private static final Map<String, ContentSource> BLOCKS = Map.of(
            "tool_use", ContentSource.TOOL_CALL,
            "input_json_delta", ContentSource.TOOL_CALL,
            "tool_result", ContentSource.TOOL_RESULT,
            "thinking", ContentSource.REASONING,
            "thinking_delta", ContentSource.REASONING);

    @Override
    public boolean isText(JsonNode object, String field) {
        boolean binary =
                field.equals("data") && !object.path("type").asString("").equals("text");
        return !binary && !NO_TEXT.contains(field);
    }

    @Override
    public ContentSource source(JsonNode object, String field, ContentSource outer) {
        ContentSource block = BLOCKS.get(object.path("type").asString(""));
        return block != null
                ? block
                : ToolCalls.source(field, ROLES.getOrDefault(object.path("role").asString(""), outer));
    }
}
