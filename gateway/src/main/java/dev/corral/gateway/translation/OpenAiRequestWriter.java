package dev.corral.gateway.translation;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code POST /v1/chat/completions}, as all servers know it: with {@code max_tokens} and the role {@code system}. */
final class OpenAiRequestWriter extends RequestWriter {

    OpenAiRequestWriter(Target target) {
        super(target);
    }

    @Override
    ObjectNode write(ChatRequest request) {
        ObjectNode body = JSON.objectNode().put("model", request.model());
        ArrayNode messages = body.putArray("messages");
        request.messages().forEach(message -> messages.addAll(message(message)));
        put(request, Setting.TEMPERATURE, body, "temperature");
        put(request, Setting.TOP_P, body, "top_p");
        put(request, Setting.TOP_K, body, "top_k");
        put(request, Setting.MIN_P, body, "min_p");
        put(request, Setting.MAX_TOKENS, body, "max_tokens");
        put(request, Setting.STOP, body, "stop");
        put(request, Setting.SEED, body, "seed");
        put(request, Setting.PRESENCE_PENALTY, body, "presence_penalty");
        put(request, Setting.FREQUENCY_PENALTY, body, "frequency_penalty");
        put(request, Setting.USER, body, "user");
        put(request, Setting.PARALLEL_CALLS, body, "parallel_tool_calls");
        effort(request)
                .ifPresent(effort -> body.put(
                        "reasoning_effort",
                        switch (effort) {
                            case OFF -> "none";
                            case ON -> Effort.MEDIUM.word();
                            case LOW, MEDIUM, HIGH -> effort.word();
                        }));
        if (!request.tools().isEmpty()) {
            body.set("tools", array(request.tools().stream().map(this::tool).toList()));
        }
        choose(request.toolChoice(), body);
        request.format().ifPresent(format -> format(format, body.putObject("response_format")));
        body.put("stream", request.stream());
        if (request.stream()) {
            body.putObject("stream_options").put("include_usage", true);
        }
        return body;
    }

    private ObjectNode tool(Tool tool) {
        ObjectNode definition = function(tool);
        if (tool.strict()) {
            definition.withObject("function").put("strict", true);
        }
        return definition;
    }

    private static void choose(ToolChoice choice, ObjectNode body) {
        switch (choice) {
            case ToolChoice.Auto _ -> {}
            case ToolChoice.None _ -> body.put("tool_choice", "none");
            case ToolChoice.Any _ -> body.put("tool_choice", "required");
            case ToolChoice.Named named ->
                body.putObject("tool_choice")
                        .put("type", "function")
                        .putObject("function")
                        .put("name", named.name());
        }
    }

    private static void format(Format format, ObjectNode to) {
        switch (format) {
            case Format.Json _ -> to.put("type", "json_object");
            case Format.Schema schema ->
                to.put("type", "json_schema")
                        .putObject("json_schema")
                        .put("name", schema.name())
                        .put("strict", schema.strict())
                        .set("schema", schema.schema());
        }
    }

    private List<ObjectNode> message(Message message) {
        return switch (message) {
            case Message.Instructions instructions ->
                List.of(said(
                        "system",
                        instructions.texts().stream()
                                .<Content>map(Content.Text::new)
                                .toList()));
            case Message.Question question -> List.of(said("user", question.content()));
            case Message.Reply reply -> List.of(reply(reply));
            case Message.Result result ->
                List.of(JSON.objectNode()
                        .put("role", "tool")
                        .put("tool_call_id", result.callId())
                        .put("content", resultText(result)));
        };
    }

    /** A single text is a text; everything else is a list of parts. */
    private ObjectNode said(String role, List<Content> content) {
        ObjectNode message = JSON.objectNode().put("role", role);
        if (content.size() == 1 && content.getFirst() instanceof Content.Text text) {
            return message.put("content", text.text());
        }
        List<ObjectNode> parts = new ArrayList<>();
        for (Content each : content) {
            parts.add(
                    switch (each) {
                        case Content.Text text ->
                            JSON.objectNode().put("type", "text").put("text", text.text());
                        case Content.InlineImage image ->
                            image("data:" + image.mediaType() + ";base64," + image.base64());
                        case Content.LinkedImage image -> image(image.url());
                        case Content.Thought thought ->
                            throw target.refusal(thought.where(), "only an assistant thinks");
                        case Content.Call call -> throw target.refusal(call.where(), "only an assistant calls tools");
                    });
        }
        message.set("content", array(parts));
        return message;
    }

    private static ObjectNode image(String url) {
        ObjectNode part = JSON.objectNode().put("type", "image_url");
        part.putObject("image_url").put("url", url);
        return part;
    }

    private static ObjectNode reply(Message.Reply reply) {
        ObjectNode message = JSON.objectNode().put("role", "assistant");
        String thoughts = thoughts(reply.content());
        if (!thoughts.isEmpty()) {
            message.put("reasoning_content", thoughts);
        }
        String text = spoken(reply.content());
        List<Content.Call> calls = calls(reply.content());
        if (text.isEmpty() && !calls.isEmpty()) {
            message.putNull("content");
        } else {
            message.put("content", text);
        }
        if (!calls.isEmpty()) {
            ArrayNode list = message.putArray("tool_calls");
            for (Content.Call call : calls) {
                ObjectNode written = list.addObject().put("id", call.id()).put("type", "function");
                written.putObject("function").put("name", call.name()).put("arguments", call.arguments());
            }
        }
        return message;
    }
}
