package dev.corral.gateway.dialect.ollama;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.gateway.dialect.ToolNames;
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

/** Reads the bodies of requests. */
final class OllamaRequests {

    static final int MAX_MESSAGES = 1024;

    private static final int MAX_MODEL_NAME = 256;

    private static final Map<String, Role> ROLES = Map.of(
            "system", Role.SYSTEM,
            "developer", Role.SYSTEM,
            "user", Role.USER,
            "assistant", Role.ASSISTANT,
            "tool", Role.TOOL);

    private static final List<String> NUMBERS = List.of("top_logprobs", "dimensions", "width", "height", "steps");

    private static final List<String> FLAGS = List.of("raw", "truncate", "shift", "logprobs", "_debug_render_only");

    private static final List<String> SETTINGS = List.of("keep_alive", "think");

    private OllamaRequests() {}

    static ModeratedRequest chat(byte[] body) {
        JsonNode root = StrictJson.request(body);
        Fields fields = new Fields(root, "");
        JsonNode messages = fields.take("messages");
        List<Turn> turns = new ArrayList<>();
        if (messages != null && !messages.isArray()) {
            throw DialectException.invalidRequest(
                    "messages", "'messages' must be a list of messages, not " + Fields.kind(messages));
        }
        if (messages != null && messages.size() > MAX_MESSAGES) {
            throw DialectException.invalidRequest(
                    "messages",
                    "'messages' has " + messages.size()
                            + " messages, and each is judged with those before it; send at most " + MAX_MESSAGES);
        }
        ToolNames tools = new ToolNames();
        for (int i = 0; messages != null && i < messages.size(); i++) {
            JsonNode message = messages.get(i);
            turns.add(tools.named(message(message, "messages[" + i + "]"), message));
            tools.learn(message);
        }
        List<Part> system = new ArrayList<>(fields.definition("tools"));
        return request(root, fields, system, turns, true);
    }

    static ModeratedRequest generate(byte[] body) {
        JsonNode root = StrictJson.request(body);
        Fields fields = new Fields(root, "");
        List<Part> system = new ArrayList<>(fields.words("system"));
        system.addAll(fields.words("template"));
        List<Part> said = new ArrayList<>(fields.words("prompt"));
        said.addAll(images(fields));
        said.addAll(fields.words("suffix"));
        JsonNode context = fields.take("context");
        if (context != null && !Words.isTextless(context)) {
            // an earlier conversation as ids of tokens
            said.add(new Part.OpaquePart("context", "context"));
        }
        return request(root, fields, system, said.isEmpty() ? List.of() : List.of(new Turn(Role.USER, said)), true);
    }

    /** Of the new form, with {@code input}, and of the old, with {@code prompt}: each text is a turn. */
    static ModeratedRequest embed(byte[] body) {
        JsonNode root = StrictJson.request(body);
        Fields fields = new Fields(root, "");
        List<Part> texts = new ArrayList<>(fields.definition("input"));
        texts.addAll(fields.words("prompt"));
        if (texts.size() > MAX_MESSAGES) {
            throw DialectException.invalidRequest(
                    "input", "'input' has " + texts.size() + " texts; send at most " + MAX_MESSAGES + " at once");
        }
        List<Turn> turns =
                texts.stream().map(text -> new Turn(Role.USER, List.of(text))).toList();
        ModeratedRequest request = request(root, fields, new ArrayList<>(), turns, false);
        return new ModeratedRequest(request.conversation(), request.model(), false, true);
    }

    private static ModeratedRequest request(
            JsonNode root, Fields fields, List<Part> system, List<Turn> turns, boolean streams) {
        String model = fields.name("model", MAX_MODEL_NAME);
        boolean stream = fields.flag("stream") || !root.path("stream").isBoolean();
        NUMBERS.forEach(fields::number);
        FLAGS.forEach(fields::flag);
        SETTINGS.forEach(name -> system.addAll(fields.setting(name)));
        system.addAll(format(fields));
        system.addAll(options(fields.take("options")));
        fields.refuseLookalikes();
        system.addAll(fields.unread(value -> false));
        List<Turn> all = new ArrayList<>();
        if (!system.isEmpty()) {
            all.add(new Turn(Role.SYSTEM, system));
        }
        all.addAll(turns);
        return new ModeratedRequest(new Conversation(all), model, streams && stream);
    }

    private static Turn message(JsonNode message, String where) {
        if (!message.isObject()) {
            throw DialectException.invalidRequest(
                    where, "'" + where + "' must be a message, which is an object, not " + Fields.kind(message));
        }
        Fields fields = new Fields(message, where);
        String name = fields.text("role");
        Role role = ROLES.get(name);
        if (role == null) {
            throw DialectException.invalidRequest(
                    fields.at("role"),
                    "'" + fields.at("role") + "' must be system, user, assistant or tool, but is '"
                            + Words.shortened(name) + "'");
        }
        List<Part> said = new ArrayList<>(fields.words("thinking"));
        JsonNode content = fields.take("content");
        if (content != null && !content.isString()) {
            throw DialectException.invalidRequest(
                    fields.at("content"), "'" + fields.at("content") + "' must be a text, not " + Fields.kind(content));
        }
        if (content != null && !content.stringValue().isEmpty()) {
            said.addAll(Words.said(content.stringValue(), fields.at("content"), role == Role.TOOL));
        }
        said.addAll(images(fields));
        said.addAll(ToolCalls.all(fields.take("tool_calls"), fields.at("tool_calls"), OllamaRequests::call));
        said.addAll(fields.words("tool_name"));
        said.addAll(fields.setting("tool_call_id"));
        fields.refuseLookalikes();
        said.addAll(fields.unread(value -> false));
        return new Turn(role, said);
    }

    private static List<Part> call(JsonNode call, String where) {
        JsonNode function = call.path("function");
        if (!function.isObject()) {
            return List.of(new Part.OpaquePart("call of a tool", where));
        }
        Fields outer = new Fields(call, where);
        outer.take("function");
        List<Part> parts = new ArrayList<>(outer.setting("id"));
        parts.addAll(outer.setting("type"));
        Fields fields = new Fields(function, where + ".function");
        fields.number("index");
        String name = fields.text("name");
        JsonNode arguments = fields.take("arguments");
        parts.addAll(ToolCalls.parts(name, arguments == null ? "" : ToolCalls.arguments(arguments), where));
        for (Fields read : List.of(outer, fields)) {
            read.refuseLookalikes();
            parts.addAll(read.unread(value -> false));
        }
        return parts;
    }

    private static List<Part> images(Fields fields) {
        JsonNode images = fields.take("images");
        String where = fields.at("images");
        if (images == null) {
            return List.of();
        }
        if (!images.isArray()) {
            throw DialectException.invalidRequest(
                    where, "'" + where + "' must be a list of images in base64, not " + Fields.kind(images));
        }
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < images.size(); i++) {
            String at = where + "[" + i + "]";
            parts.add(
                    images.get(i).isString()
                            ? new Part.ImagePart(url(images.get(i).stringValue()), at)
                            : new Part.OpaquePart("image", at));
        }
        return parts;
    }

    /** An image's kind is in its first bytes. */
    private static String url(String base64) {
        String type = base64.startsWith("/9j/")
                ? "image/jpeg"
                : base64.startsWith("iVBOR")
                        ? "image/png"
                        : base64.startsWith("R0lGOD")
                                ? "image/gif"
                                : base64.startsWith("UklGR") ? "image/webp" : "application/octet-stream";
        return "data:" + type + ";base64," + base64;
    }

    /** {@code json}, or a schema, which steers the answer. */
    private static List<Part> format(Fields fields) {
        JsonNode format = fields.take("format");
        return format == null || (format.isString() && Words.isSetting(format)) || Words.isTextless(format)
                ? List.of()
                : List.of(Words.rendered(format, "format"));
    }

    private static List<Part> options(@Nullable JsonNode options) {
        if (options == null) {
            return List.of();
        }
        if (!options.isObject()) {
            throw DialectException.invalidRequest(
                    "options", "'options' must be an object of settings, not " + Fields.kind(options));
        }
        Fields fields = new Fields(options, "options");
        List<Part> parts = new ArrayList<>(fields.phrases("stop"));
        parts.addAll(fields.unread(Words::isTextless));
        return parts;
    }
}
