package dev.corral.gateway.dialect.llamastack;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.gateway.dialect.ToolNames;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Messages and their content, as requests for inference and for shields have them. */
final class LlamaStackContent {

    static final int MAX_MESSAGES = 1024;

    private static final Map<String, Role> ROLES = Map.of(
            "system", Role.SYSTEM,
            "developer", Role.SYSTEM,
            "user", Role.USER,
            "assistant", Role.ASSISTANT,
            "tool", Role.TOOL,
            "ipython", Role.TOOL);

    private LlamaStackContent() {}

    static List<Turn> messages(Fields fields) {
        List<JsonNode> messages = fields.items("messages", MAX_MESSAGES);
        List<Turn> turns = new ArrayList<>();
        ToolNames tools = new ToolNames();
        for (int i = 0; i < messages.size(); i++) {
            JsonNode message = messages.get(i);
            turns.add(tools.named(message(message, "messages[" + i + "]"), message));
            tools.learn(message);
        }
        return turns;
    }

    private static Turn message(JsonNode message, String where) {
        Fields fields = Fields.of(message, where, "a message");
        String name = fields.text("role");
        Role role = ROLES.get(name);
        if (role == null) {
            throw DialectException.invalidRequest(
                    fields.at("role"),
                    "'" + fields.at("role") + "' must be system, user, assistant or tool, but is '"
                            + Words.shortened(name) + "'");
        }
        List<Part> said = new ArrayList<>(content(fields.take("content"), role, fields.at("content")));
        said.addAll(content(fields.take("context"), role, fields.at("context")));
        said.addAll(ToolCalls.all(fields.take("tool_calls"), fields.at("tool_calls"), LlamaStackContent::call));
        for (String identifier : List.of("call_id", "tool_call_id", "tool_name", "stop_reason", "name", "id")) {
            said.addAll(fields.setting(identifier));
        }
        said.addAll(fields.rest());
        return new Turn(role, said);
    }

    /** A text, an item, or a list of both. */
    static List<Part> content(@Nullable JsonNode content, Role role, String where) {
        if (content == null) {
            return List.of();
        }
        if (content.isString()) {
            return Words.said(content.stringValue(), where, role == Role.TOOL);
        }
        if (content.isArray()) {
            List<Part> parts = new ArrayList<>();
            for (int i = 0; i < content.size(); i++) {
                parts.addAll(content(content.get(i), role, where + "[" + i + "]"));
            }
            return parts;
        }
        Fields fields = Fields.of(content, where, "a text or an item with a type");
        JsonNode type = fields.take("type");
        List<Part> parts = new ArrayList<>();
        switch (type == null ? "" : type.asString("")) {
            case "text" -> parts.addAll(Words.said(fields.text("text"), fields.at("text"), role == Role.TOOL));
            case "image" -> parts.addAll(image(fields));
            case "image_url" -> {
                JsonNode url = fields.take("image_url");
                String address = url == null ? "" : url.asString(url.path("url").asString(""));
                parts.add(
                        address.isEmpty()
                                ? new Part.OpaquePart("image", where)
                                : new Part.ImagePart(address, fields.at("image_url")));
            }
            default -> {
                return List.of(new Part.OpaquePart(
                        type == null
                                ? "item without a type"
                                : "item of type '" + Words.shortened(type.asString("")) + "'",
                        where));
            }
        }
        parts.addAll(fields.rest());
        return parts;
    }

    private static List<Part> image(Fields item) {
        JsonNode image = item.take("image");
        String where = item.at("image");
        if (image == null || !image.isObject()) {
            return List.of(new Part.OpaquePart("image", where));
        }
        Fields fields = new Fields(image, where);
        JsonNode url = fields.take("url");
        JsonNode data = fields.take("data");
        String address = url == null ? "" : url.asString(url.path("uri").asString(""));
        List<Part> parts = new ArrayList<>();
        if (!address.isEmpty()) {
            parts.add(new Part.ImagePart(address, where));
        }
        if (data != null) {
            parts.add(new Part.ImagePart("data:application/octet-stream;base64," + data.asString(""), where));
        }
        if (parts.isEmpty()) {
            parts.add(new Part.OpaquePart("image", where));
        }
        parts.addAll(fields.rest());
        return parts;
    }

    /** A call of a tool: its arguments as a text, as an object, or as both. */
    static List<Part> call(JsonNode call, String where) {
        if (!call.isObject()) {
            return List.of(new Part.OpaquePart("call of a tool", where));
        }
        Fields fields = new Fields(call, where);
        JsonNode name = fields.take("tool_name");
        JsonNode arguments = fields.take("arguments");
        List<Part> parts = new ArrayList<>(ToolCalls.parts(
                name == null ? "" : ToolCalls.arguments(name),
                arguments == null ? "" : ToolCalls.arguments(arguments),
                where));
        parts.addAll(fields.words("arguments_json"));
        parts.addAll(fields.setting("call_id"));
        parts.addAll(fields.unread(Words::isTextless));
        return parts;
    }
}
