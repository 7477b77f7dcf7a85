package dev.corral.gateway.translation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code POST /api/chat}: a message has one text, and its images come before it. */
final class OllamaRequestWriter extends RequestWriter {

    /** The tools of calls by their identifiers. */
    private final Map<String, String> called = new HashMap<>();

    OllamaRequestWriter(Target target) {
        super(target);
    }

    @Override
    ObjectNode write(ChatRequest request) {
        ObjectNode body = JSON.objectNode().put("model", request.model());
        ArrayNode messages = body.putArray("messages");
        request.messages().forEach(message -> messages.addAll(message(message)));
        ObjectNode options = JSON.objectNode();
        put(request, Setting.TEMPERATURE, options, "temperature");
        put(request, Setting.TOP_P, options, "top_p");
        put(request, Setting.TOP_K, options, "top_k");
        put(request, Setting.MIN_P, options, "min_p");
        put(request, Setting.MAX_TOKENS, options, "num_predict");
        put(request, Setting.STOP, options, "stop");
        put(request, Setting.SEED, options, "seed");
        put(request, Setting.PRESENCE_PENALTY, options, "presence_penalty");
        put(request, Setting.FREQUENCY_PENALTY, options, "frequency_penalty");
        if (!options.isEmpty()) {
            body.set("options", options);
        }
        given(request, Setting.PARALLEL_CALLS).ifPresent(given -> {
            throw target.refusal(given.where(), "a model calls as many tools as it likes there");
        });
        effort(request).ifPresent(effort -> {
            switch (effort) {
                case OFF -> body.put("think", false);
                case ON -> body.put("think", true);
                case LOW, MEDIUM, HIGH -> body.put("think", effort.word());
            }
        });
        tools(request, body);
        request.format().ifPresent(format -> {
            switch (format) {
                case Format.Json _ -> body.put("format", "json");
                case Format.Schema schema -> body.set("format", schema.schema());
            }
        });
        body.put("stream", request.stream());
        return body;
    }

    /** A model that must call nothing is shown no tools. */
    private void tools(ChatRequest request, ObjectNode body) {
        switch (request.toolChoice()) {
            case ToolChoice.Auto _ -> {
                request.tools().stream().filter(Tool::strict).findFirst().ifPresent(tool -> {
                    throw target.refusal(tool.where() + ".strict", "arguments are not held to a schema there");
                });
                if (!request.tools().isEmpty()) {
                    body.set(
                            "tools",
                            array(request.tools().stream()
                                    .map(RequestWriter::function)
                                    .toList()));
                }
            }
            case ToolChoice.None _ -> {}
            case ToolChoice.Any any -> throw target.refusal(any.where(), "no model must call a tool there");
            case ToolChoice.Named named -> throw target.refusal(named.where(), "no model must call a tool there");
        }
    }

    private List<ObjectNode> message(Message message) {
        return switch (message) {
            case Message.Instructions instructions ->
                instructions.texts().stream().map(text -> said("system", text)).toList();
            case Message.Question question -> question(question.content());
            case Message.Reply reply -> List.of(reply(reply.content()));
            case Message.Result result -> List.of(result(result));
        };
    }

    /** Each text ends a message, with the images that came before it; so the order is kept. */
    private List<ObjectNode> question(List<Content> content) {
        List<ObjectNode> messages = new ArrayList<>();
        ArrayNode images = JSON.arrayNode();
        for (Content each : content) {
            switch (each) {
                case Content.Text text -> {
                    ObjectNode message = said("user", text.text());
                    if (!images.isEmpty()) {
                        message.set("images", images);
                        images = JSON.arrayNode();
                    }
                    messages.add(message);
                }
                case Content.InlineImage image -> images.add(image.base64());
                case Content.LinkedImage image ->
                    throw target.refusal(
                            image.where(),
                            "images are in base64 there; send the image itself, or have the policy fetch it"
                                    + " (images: { fetch: https })");
                case Content.Thought thought -> throw target.refusal(thought.where(), "only an assistant thinks");
                case Content.Call call -> throw target.refusal(call.where(), "only an assistant calls tools");
            }
        }
        if (!images.isEmpty() || messages.isEmpty()) {
            ObjectNode message = said("user", "");
            message.set("images", images);
            messages.add(message);
        }
        return messages;
    }

    private ObjectNode reply(List<Content> content) {
        ObjectNode message = said("assistant", spoken(content));
        String thoughts = thoughts(content);
        if (!thoughts.isEmpty()) {
            message.put("thinking", thoughts);
        }
        List<Content.Call> calls = calls(content);
        if (!calls.isEmpty()) {
            ArrayNode list = message.putArray("tool_calls");
            for (Content.Call call : calls) {
                called.put(call.id(), call.name());
                ObjectNode function = list.addObject().put("id", call.id()).putObject("function");
                function.put("name", call.name()).set("arguments", target.arguments(call));
            }
        }
        return message;
    }

    private ObjectNode result(Message.Result result) {
        ObjectNode message = said("tool", resultText(result)).put("tool_call_id", result.callId());
        String tool = called.getOrDefault(result.callId(), result.tool());
        return tool.isEmpty() ? message : message.put("tool_name", tool);
    }

    private static ObjectNode said(String role, String text) {
        return JSON.objectNode().put("role", role).put("content", text);
    }
}
