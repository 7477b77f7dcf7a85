package dev.corral.gateway.dialect.responses;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The items of an input: who says each, and what. */
final class Items {

    /** Calls of tools that the upstream runs by itself. Everything in them is read as the call. */
    static final Set<String> HOSTED = Set.of(
            "web_search_call",
            "file_search_call",
            "code_interpreter_call",
            "computer_call",
            "local_shell_call",
            "shell_call",
            "apply_patch_call",
            "mcp_call",
            "mcp_list_tools",
            "mcp_approval_request");

    private static final Map<String, Role> ROLES = Map.of(
            "system", Role.SYSTEM,
            "developer", Role.SYSTEM,
            "user", Role.USER,
            "assistant", Role.ASSISTANT);

    private static final List<String> IDENTIFIERS =
            List.of("id", "call_id", "status", "phase", "cache_control", "approval_request_id", "created_by");

    private Items() {}

    /**
     * One item as a turn.
     *
     * @throws DialectException where it is malformed, or only names an item that is not there
     */
    static Turn turn(Fields item) {
        JsonNode type = item.take("type");
        if (type != null && !type.isString()) {
            throw DialectException.invalidRequest(
                    item.at("type"), "'" + item.at("type") + "' must be a text, not " + Fields.kind(type));
        }
        List<Part> parts = new ArrayList<>();
        IDENTIFIERS.forEach(name -> parts.addAll(item.setting(name)));
        Role role = type == null
                ? message(item, parts)
                : switch (type.stringValue()) {
                    case "message" -> message(item, parts);
                    case "function_call" -> call(item, "arguments", parts);
                    case "custom_tool_call" -> call(item, "input", parts);
                    case "function_call_output",
                            "custom_tool_call_output",
                            "local_shell_call_output",
                            "shell_call_output",
                            "apply_patch_call_output",
                            "computer_call_output" -> output(item, parts);
                    case "mcp_approval_response" -> {
                        item.flag("approve");
                        parts.addAll(item.words("reason"));
                        yield Role.USER;
                    }
                    case "reasoning" -> reasoning(item, parts);
                    case "item_reference" ->
                        throw ResponsesRequestReader.stored(item.at("id"), "'" + item.where() + "'");
                    default -> other(type.stringValue(), item, parts);
                };
        parts.addAll(item.unread(_ -> false));
        return new Turn(role, parts);
    }

    private static Role message(Fields item, List<Part> parts) {
        JsonNode value = item.take("role");
        Role role = value != null && value.isString() ? ROLES.get(value.stringValue()) : null;
        if (role == null) {
            throw DialectException.invalidRequest(
                    item.at("role"),
                    "'" + item.at("role") + "' must be system, developer, user or assistant, but is "
                            + (value == null
                                    ? "missing; an item that is no message needs a type"
                                    : value.isString()
                                            ? "'" + Words.shortened(value.stringValue()) + "'"
                                            : Fields.kind(value)));
        }
        JsonNode content = item.take("content");
        if (content == null || !(content.isString() || content.isArray())) {
            throw DialectException.invalidRequest(
                    item.at("content"),
                    "'" + item.at("content") + "' must be a text or a list of parts, but is "
                            + (content == null ? "missing" : Fields.kind(content)));
        }
        parts.addAll(contents(content, item.at("content"), false));
        return role;
    }

    private static Role call(Fields item, String input, List<Part> parts) {
        JsonNode arguments = item.take(input);
        String text =
                arguments == null ? "" : arguments.isString() ? arguments.stringValue() : StrictJson.render(arguments);
        parts.addAll(ToolCalls.parts(item.text("name"), text, item.at(input)));
        parts.addAll(item.setting("namespace"));
        return Role.ASSISTANT;
    }

    private static Role output(Fields item, List<Part> parts) {
        JsonNode output = item.take("output");
        if (output != null) {
            parts.addAll(contents(output, item.at("output"), true));
        }
        parts.addAll(item.setting("max_output_length"));
        parts.addAll(item.setting("acknowledged_safety_checks"));
        return Role.TOOL;
    }

    private static Role reasoning(Fields item, List<Part> parts) {
        for (String list : List.of("summary", "content")) {
            JsonNode thoughts = item.take(list);
            if (thoughts != null) {
                contents(thoughts, item.at(list), false).forEach(part -> parts.add(asReasoning(part)));
            }
        }
        if (item.take("encrypted_content") != null) {
            parts.add(new Part.OpaquePart("encrypted reasoning", item.at("encrypted_content")));
        }
        return Role.ASSISTANT;
    }

    /** What the assistant thinks is known by its place. */
    private static Part asReasoning(Part part) {
        return part instanceof Part.TextPart text ? new Part.TextPart(text.text(), text.where() + ".reasoning") : part;
    }

    private static Role other(String type, Fields item, List<Part> parts) {
        if (HOSTED.contains(type)) {
            ObjectNode call = JsonNodeFactory.instance.objectNode();
            item.remaining().forEach(name -> {
                JsonNode value = item.take(name);
                if (value != null) {
                    call.set(name, value);
                }
            });
            parts.addAll(ToolCalls.parts(type, StrictJson.render(call), item.where()));
        } else {
            item.remaining().forEach(item::take);
            parts.add(new Part.OpaquePart("item of type '" + Words.shortened(type) + "'", item.where()));
        }
        return Role.ASSISTANT;
    }

    /** The parts of a content: a text, or a list. */
    private static List<Part> contents(JsonNode content, String where, boolean ofTool) {
        if (content.isString()) {
            return Words.said(content.stringValue(), where, ofTool);
        }
        if (!content.isArray()) {
            return ofTool
                    ? Words.said(StrictJson.render(content), where, true)
                    : List.of(new Part.OpaquePart("content", where));
        }
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < content.size(); i++) {
            parts.addAll(content(content.get(i), where + "[" + i + "]", ofTool));
        }
        return parts;
    }

    private static List<Part> content(JsonNode part, String where, boolean ofTool) {
        if (part.isString()) {
            return Words.said(part.stringValue(), where, ofTool);
        }
        JsonNode type = part.path("type");
        if (!part.isObject() || !type.isString()) {
            return ofTool
                    ? Words.said(StrictJson.render(part), where, true)
                    : List.of(new Part.OpaquePart("part without a type", where));
        }
        Fields fields = new Fields(part, where);
        fields.take("type");
        List<Part> parts = new ArrayList<>();
        switch (type.stringValue()) {
            case "input_text", "output_text", "text", "summary_text", "reasoning_text" ->
                parts.addAll(Words.said(fields.text("text"), where, ofTool));
            case "refusal" -> parts.addAll(Words.said(fields.text("refusal"), where, ofTool));
            case "input_image", "computer_screenshot" -> parts.addAll(image(fields));
            case "input_file" -> {
                return List.of(new Part.OpaquePart("file", where));
            }
            case "input_audio" -> {
                return List.of(new Part.OpaquePart("audio", where));
            }
            default -> {
                return List.of(
                        new Part.OpaquePart("part of type '" + Words.shortened(type.stringValue()) + "'", where));
            }
        }
        parts.addAll(fields.words("annotations"));
        parts.addAll(fields.words("logprobs"));
        parts.addAll(fields.setting("cache_control"));
        fields.refuseLookalikes();
        parts.addAll(fields.unread(_ -> false));
        return parts;
    }

    private static List<Part> image(Fields part) {
        List<Part> parts = new ArrayList<>(part.setting("detail"));
        JsonNode url = part.take("image_url");
        boolean stored = part.take("file_id") != null;
        parts.add(
                url != null && url.isString() && !stored
                        ? new Part.ImagePart(url.stringValue(), part.at("image_url"))
                        : new Part.OpaquePart("image that the upstream holds", part.at("file_id")));
        return parts;
    }

    /** The field with the text of a part of this type; null where it has none. */
    static @Nullable String textField(String partType) {
        return switch (partType) {
            case "output_text", "text", "summary_text", "reasoning_text", "input_text" -> "text";
            case "refusal" -> "refusal";
            default -> null;
        };
    }
}
