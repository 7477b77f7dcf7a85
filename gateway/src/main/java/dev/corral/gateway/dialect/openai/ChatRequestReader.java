package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.ToolNames;
import dev.corral.gateway.dialect.Voices;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads the body of a chat request. */
final class ChatRequestReader {

    static final int MAX_MESSAGES = 1024;

    private static final Map<String, Role> ROLES = Map.of(
            "system", Role.SYSTEM,
            "developer", Role.SYSTEM,
            "user", Role.USER,
            "assistant", Role.ASSISTANT,
            "tool", Role.TOOL,
            "function", Role.TOOL);

    private ChatRequestReader() {}

    static ModeratedRequest read(byte[] body) {
        Fields fields = new Fields(StrictJson.request(body), "");
        List<Turn> turns = messages(fields.take("messages"));
        String model = Settings.model(fields);
        boolean stream = fields.flag("stream");
        List<Part> parts = Settings.read(fields);
        fields.refuseLookalikes();
        parts.addAll(fields.unread(value -> false));
        if (!parts.isEmpty()) {
            turns.addFirst(new Turn(Role.SYSTEM, parts));
        }
        return new ModeratedRequest(new Conversation(turns), model, stream);
    }

    private static List<Turn> messages(@Nullable JsonNode messages) {
        if (messages == null) {
            throw refused("messages", "'messages' is missing or null; send a list of at least one message");
        }
        if (!messages.isArray()) {
            throw refused("messages", "'messages' must be a list of messages, not " + Fields.kind(messages));
        }
        if (messages.size() > MAX_MESSAGES) {
            throw refused(
                    "messages",
                    "'messages' has " + messages.size()
                            + " messages, and each is judged with those before it; send at most " + MAX_MESSAGES);
        }
        if (messages.isEmpty()) {
            throw refused("messages", "'messages' is empty; send at least one message");
        }
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
        if (!message.isObject()) {
            throw refused(where, "'" + where + "' must be a message, which is an object, not " + Fields.kind(message));
        }
        Fields fields = new Fields(message, where);
        Role role = role(fields.take("role"), fields.at("role"));
        JsonNode content = fields.take("content");
        List<Part> named = new ArrayList<>(fields.words("name"));
        List<Part> said = new ArrayList<>();
        said.addAll(fields.words("reasoning_content"));
        said.addAll(fields.words("reasoning"));
        said.addAll(fields.words("thinking"));
        said.addAll(content(content, role, fields.at("content")));
        said.addAll(fields.words("refusal"));
        Calls calls = new Calls(new Voices());
        calls.acceptAll(fields.take("tool_calls"), fields.at("tool_calls"));
        calls.acceptFunction(fields.take("function_call"), fields.at("function_call"));
        said.addAll(calls.parts());
        said.addAll(fields.words("annotations"));
        for (String identifier : List.of("id", "tool_call_id", "cache_control")) {
            said.addAll(fields.setting(identifier));
        }
        for (String flag : List.of("prefix", "partial")) {
            fields.flag(flag);
        }
        fields.refuseLookalikes();
        said.addAll(fields.unread(value -> false));
        if (content == null && (role != Role.ASSISTANT || said.isEmpty())) {
            throw refused(
                    fields.at("content"),
                    "'" + fields.at("content") + "' is missing or null; only an assistant's message that calls a tool,"
                            + " refuses or reasons may be without content");
        }
        named.addAll(said);
        return new Turn(role, named);
    }

    private static Role role(@Nullable JsonNode value, String where) {
        Role role = value != null && value.isString() ? ROLES.get(value.stringValue()) : null;
        if (role == null) {
            String given = value == null
                    ? "missing"
                    : value.isString() ? "'" + Words.shortened(value.stringValue()) + "'" : Fields.kind(value);
            throw refused(
                    where,
                    "'" + where + "' must be system, developer, user, assistant, tool or function, but is " + given);
        }
        return role;
    }

    private static List<Part> content(@Nullable JsonNode content, Role role, String where) {
        if (content == null) {
            return List.of();
        }
        if (content.isString()) {
            return Words.said(content.stringValue(), where, role == Role.TOOL);
        }
        if (!content.isArray()) {
            throw refused(where, "'" + where + "' must be a text or a list of parts, not " + Fields.kind(content));
        }
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < content.size(); i++) {
            parts.addAll(part(content.get(i), role, where + "[" + i + "]"));
        }
        return parts;
    }

    private static List<Part> part(JsonNode part, Role role, String where) {
        if (part.isString()) {
            return Words.said(part.stringValue(), where, role == Role.TOOL);
        }
        if (!part.isObject()) {
            throw refused(
                    where, "'" + where + "' must be a part, which is an object with a type, not " + Fields.kind(part));
        }
        Fields fields = new Fields(part, where);
        JsonNode type = fields.take("type");
        if (type == null || !type.isString()) {
            throw refused(
                    fields.at("type"),
                    "'" + fields.at("type") + "' must be a text such as text or image_url, but is "
                            + (type == null ? "missing" : Fields.kind(type)));
        }
        List<Part> parts = new ArrayList<>();
        switch (type.stringValue()) {
            case "text" -> parts.addAll(Words.said(fields.text("text"), where, role == Role.TOOL));
            case "refusal" -> parts.addAll(Words.said(fields.text("refusal"), where, role == Role.TOOL));
            case "image_url" -> parts.addAll(image(fields));
            default -> {
                return List.of(opaque(type.stringValue(), where));
            }
        }
        parts.addAll(fields.setting("cache_control"));
        fields.refuseLookalikes();
        parts.addAll(fields.unread(value -> false));
        return parts;
    }

    /** A part that no guard here reads, whatever its fields are. */
    static Part opaque(String type, String where) {
        return new Part.OpaquePart(
                switch (type) {
                    case "input_audio" -> "audio";
                    case "file" -> "file";
                    case "video_url" -> "video";
                    default -> "part of type '" + Words.shortened(type) + "'";
                },
                where);
    }

    private static List<Part> image(Fields part) {
        String where = part.at("image_url");
        JsonNode image = part.take("image_url");
        if (image != null && image.isString()) {
            return List.of(new Part.ImagePart(image.stringValue(), where));
        }
        if (image == null || !image.isObject()) {
            throw refused(
                    where,
                    "'" + where + "' must be an object with a url, but is "
                            + (image == null ? "missing" : Fields.kind(image)));
        }
        Fields fields = new Fields(image, where);
        List<Part> parts = new ArrayList<>();
        parts.add(new Part.ImagePart(fields.text("url"), where));
        parts.addAll(fields.setting("detail"));
        fields.refuseLookalikes();
        parts.addAll(fields.unread(value -> false));
        return parts;
    }

    private static DialectException refused(@Nullable String param, String message) {
        return DialectException.invalidRequest(param, message);
    }
}
