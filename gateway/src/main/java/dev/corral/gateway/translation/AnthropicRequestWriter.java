package dev.corral.gateway.translation;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code POST /v1/messages}: instructions come first, and user and assistant take turns. */
final class AnthropicRequestWriter extends RequestWriter {

    private static final String NO_COUNTERPART = "it has no counterpart there";

    AnthropicRequestWriter(Target target) {
        super(target);
    }

    @Override
    ObjectNode write(ChatRequest request) {
        ObjectNode body = JSON.objectNode().put("model", request.model());
        body.put("max_tokens", target.maxTokens());
        put(request, Setting.MAX_TOKENS, body, "max_tokens");
        messages(request.messages(), body);
        settings(request, body);
        if (!request.tools().isEmpty()) {
            body.set(
                    "tools",
                    array(request.tools().stream()
                            .map(AnthropicRequestWriter::tool)
                            .toList()));
        }
        choose(request, body);
        request.format().ifPresent(format -> format(format, body));
        body.put("stream", request.stream());
        return body;
    }

    private void settings(ChatRequest request, ObjectNode body) {
        given(request, Setting.TEMPERATURE)
                .filter(given -> given.value().asDouble(0) > 1)
                .ifPresent(given -> {
                    throw target.refusal(given.where(), "it is between 0 and 1 there");
                });
        put(request, Setting.TEMPERATURE, body, "temperature");
        put(request, Setting.TOP_P, body, "top_p");
        put(request, Setting.TOP_K, body, "top_k");
        put(request, Setting.STOP, body, "stop_sequences");
        for (Setting setting :
                List.of(Setting.MIN_P, Setting.SEED, Setting.PRESENCE_PENALTY, Setting.FREQUENCY_PENALTY)) {
            refuse(request, setting, NO_COUNTERPART);
        }
        given(request, Setting.USER)
                .ifPresent(user -> body.putObject("metadata").set("user_id", user.value()));
        effort(request).ifPresent(effort -> {
            if (effort != Effort.OFF) {
                refuse(request, Setting.THINKING, "thoughts are sealed there, and no other API can carry the seal");
            }
            body.putObject("thinking").put("type", "disabled");
        });
    }

    private static ObjectNode tool(Tool tool) {
        ObjectNode definition = JSON.objectNode().put("name", tool.name());
        if (!tool.description().isEmpty()) {
            definition.put("description", tool.description());
        }
        if (tool.strict()) {
            definition.put("strict", true);
        }
        definition.set("input_schema", tool.schema());
        return definition;
    }

    private static void choose(ChatRequest request, ObjectNode body) {
        ObjectNode choice = JSON.objectNode();
        switch (request.toolChoice()) {
            case ToolChoice.Auto _ -> choice.put("type", "auto");
            case ToolChoice.None _ -> choice.put("type", "none");
            case ToolChoice.Any _ -> choice.put("type", "any");
            case ToolChoice.Named named -> choice.put("type", "tool").put("name", named.name());
        }
        boolean oneByOne = given(request, Setting.PARALLEL_CALLS).isPresent();
        if (oneByOne && !(request.toolChoice() instanceof ToolChoice.None)) {
            choice.put("disable_parallel_tool_use", true);
        }
        boolean said = oneByOne || !(request.toolChoice() instanceof ToolChoice.Auto);
        if (said && !request.tools().isEmpty()) {
            body.set("tool_choice", choice);
        }
    }

    private void format(Format format, ObjectNode body) {
        switch (format) {
            case Format.Json json -> throw target.refusal(json.where(), "JSON has a schema there; send json_schema");
            case Format.Schema schema ->
                body.putObject("output_config")
                        .putObject("format")
                        .put("type", "json_schema")
                        .set("schema", schema.schema());
        }
    }

    private void messages(List<Message> messages, ObjectNode body) {
        List<String> instructions = new ArrayList<>();
        ArrayNode written = JSON.arrayNode();
        for (Message message : messages) {
            switch (message) {
                case Message.Instructions said -> {
                    if (!written.isEmpty()) {
                        throw target.refusal(said.where(), "instructions come before all other messages there");
                    }
                    instructions.addAll(said.texts());
                }
                case Message.Question question -> turn(written, "user").addAll(blocks(question.content()));
                case Message.Reply reply -> turn(written, "assistant").addAll(blocks(reply.content()));
                case Message.Result result -> turn(written, "user").add(result(result));
            }
        }
        if (instructions.size() == 1) {
            body.put("system", instructions.getFirst());
        } else if (!instructions.isEmpty()) {
            body.set(
                    "system",
                    array(instructions.stream()
                            .map(AnthropicRequestWriter::text)
                            .toList()));
        }
        body.set("messages", written);
    }

    /** The blocks of whose turn it is: who goes on speaking does so in the same message. */
    private static ArrayNode turn(ArrayNode messages, String role) {
        if (messages.isEmpty()
                || !messages.get(messages.size() - 1).path("role").asString("").equals(role)) {
            messages.addObject().put("role", role).putArray("content");
        }
        return ((ObjectNode) messages.get(messages.size() - 1)).withArray("content");
    }

    /** Empty texts are not allowed there, and say nothing where others speak. */
    private List<ObjectNode> blocks(List<Content> content) {
        return content.stream()
                .filter(each -> content.size() == 1
                        || !(each instanceof Content.Text text && text.text().isEmpty()))
                .map(this::block)
                .toList();
    }

    private ObjectNode block(Content content) {
        return switch (content) {
            case Content.Text text -> text(text.text());
            case Content.InlineImage image -> {
                ObjectNode block = JSON.objectNode().put("type", "image");
                block.putObject("source")
                        .put("type", "base64")
                        .put("media_type", image.mediaType())
                        .put("data", image.base64());
                yield block;
            }
            case Content.LinkedImage image -> {
                ObjectNode block = JSON.objectNode().put("type", "image");
                block.putObject("source").put("type", "url").put("url", image.url());
                yield block;
            }
            case Content.Thought thought ->
                throw target.refusal(thought.where(), "thoughts are sealed there, and this one has no seal");
            case Content.Call call -> {
                ObjectNode block = JSON.objectNode()
                        .put("type", "tool_use")
                        .put("id", call.id())
                        .put("name", call.name());
                block.set("input", target.arguments(call));
                yield block;
            }
        };
    }

    private ObjectNode result(Message.Result result) {
        ObjectNode block = JSON.objectNode().put("type", "tool_result").put("tool_use_id", result.callId());
        if (result.content().size() == 1 && result.content().getFirst() instanceof Content.Text text) {
            block.put("content", text.text());
        } else {
            block.set("content", array(blocks(result.content())));
        }
        return result.failed() ? block.put("is_error", true) : block;
    }

    private static ObjectNode text(String text) {
        return JSON.objectNode().put("type", "text").put("text", text);
    }
}
