package dev.corral.gateway.dialect.llamastack;

import dev.corral.gateway.dialect.TextFields;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.policies.policy.ContentSource;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** Where the texts of requests and answers are. */
enum LlamaStackTexts implements TextFields {
    LLAMA_STACK;

    private static final Set<String> NO_TEXT = Set.of(
            "model_id",
            "model",
            "role",
            "type",
            "call_id",
            "stop_reason",
            "event_type",
            "parse_status",
            "image",
            "image_url",
            "metrics");

    private static final Map<String, ContentSource> ROLES = Map.of(
            "system", ContentSource.SYSTEM,
            "user", ContentSource.USER,
            "assistant", ContentSource.ASSISTANT,
            "tool", ContentSource.TOOL_RESULT,
            "ipython", ContentSource.TOOL_RESULT);

    @Override
    public boolean isText(JsonNode object, String field) {
        return !NO_TEXT.contains(field);
    }

    @Override
    public ContentSource source(JsonNode object, String field, ContentSource outer) {
        if (field.equals("tool_calls") || field.equals("tool_call")) {
            return ContentSource.TOOL_CALL;
        }
        boolean prompt = field.equals("content") && object.has("model_id");
        return prompt
                ? ContentSource.USER
                : ToolCalls.source(field, ROLES.getOrDefault(object.path("role").asString(""), outer));
    }
}
