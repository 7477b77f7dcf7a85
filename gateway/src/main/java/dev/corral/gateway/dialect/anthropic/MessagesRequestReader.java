package dev.corral.gateway.dialect.anthropic;

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

/** Reads the body of a messages request, and of one that only counts tokens. */
final class MessagesRequestReader {

    static final int MAX_MESSAGES = 1024;

    private static final int MAX_MODEL_NAME = 256;

    private static final Map<String, Role> ROLES =
            Map.of("user", Role.USER, "assistant", Role.ASSISTANT, "system", Role.SYSTEM);

    private static final List<String> NUMBERS = List.of("max_tokens", "temperature", "top_k", "top_p");

    private static final List<String> PHRASES = List.of("stop_sequences", "metadata");

    private static final List<String> SETTINGS = List.of(
            "tool_choice",
            "thinking",
            "service_tier",
            "container",
            "context_management",
            "cache_control",
            "inference_geo",
            "speed");

    private static final List<String> DEFINITIONS = List.of("tools", "output_config", "output_format");

    private MessagesRequestReader() {}

    static ModeratedRequest read(byte[] body) {
        Fields fields = new Fields(StrictJson.request(body), "");
        List<Part> system = new ArrayList<>(content(fields.take("system"), fields.at("system"), false));
        List<Turn> turns = new ArrayList<>();
        List<JsonNode> messages = fields.items("messages", MAX_MESSAGES);
        ToolNames tools = new ToolNames();
        for (int i = 0; i < messages.size(); i++) {
            turns.addAll(message(messages.get(i), "messages[" + i + "]", tools));
            tools.learn(messages.get(i));
        }
        String model = fields.name("model", MAX_MODEL_NAME);
        boolean stream = fields.flag("stream");
        NUMBERS.forEach(fields::number);
        DEFINITIONS.forEach(name -> system.addAll(fields.definition(name)));
        SETTINGS.forEach(name -> system.addAll(fields.setting(name)));
        PHRASES.forEach(name -> system.addAll(fields.phrases(name)));
        system.addAll(fields.rest());
        if (!system.isEmpty()) {
            turns.addFirst(new Turn(Role.SYSTEM, system));
        }
        return new ModeratedRequest(new Conversation(turns), model, stream);
    }

    /** The results of tools are in the user's messages, and are turns of the tool. */
    private static List<Turn> message(JsonNode message, String where, ToolNames tools) {
        Fields fields = Fields.of(message, where, "a message");
        String name = fields.text("role");
        Role role = ROLES.get(name);
        if (role == null) {
            throw DialectException.invalidRequest(
                    fields.at("role"),
                    "'" + fields.at("role") + "' must be user or assistant, but is '" + Words.shortened(name) + "'");
        }
        JsonNode content = fields.take("content");
        if (content == null) {
            throw DialectException.invalidRequest(
                    fields.at("content"), "'" + fields.at("content") + "' is missing or null; send a text or blocks");
        }
        List<Turn> turns = new ArrayList<>();
        List<Part> said = new ArrayList<>();
        List<JsonNode> blocks = blocks(content, fields.at("content"));
        for (int i = 0; i < blocks.size(); i++) {
            JsonNode block = blocks.get(i);
            String at = fields.at("content") + "[" + i + "]";
            boolean result = block.path("type").asString("").equals("tool_result");
            if (result && !said.isEmpty()) {
                turns.add(new Turn(role, said));
                said.clear();
            }
            if (result) {
                turns.add(tools.named(new Turn(Role.TOOL, block(block, at, true)), block));
            } else {
                said.addAll(block(block, content.isString() ? fields.at("content") : at, false));
            }
        }
        said.addAll(fields.rest());
        if (!said.isEmpty() || turns.isEmpty()) {
            turns.add(new Turn(role, said));
        }
        return turns;
    }

    private static List<JsonNode> blocks(JsonNode content, String where) {
        if (content.isString()) {
            return List.of(content);
        }
        if (!content.isArray()) {
            throw DialectException.invalidRequest(
                    where, "'" + where + "' must be a text or a list of blocks, not " + Fields.kind(content));
        }
        return List.copyOf(content.values());
    }

    private static List<Part> content(@Nullable JsonNode content, String where, boolean ofTool) {
        if (content == null) {
            return List.of();
        }
        List<JsonNode> blocks = blocks(content, where);
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < blocks.size(); i++) {
            parts.addAll(block(blocks.get(i), content.isString() ? where : where + "[" + i + "]", ofTool));
        }
        return parts;
    }

    private static List<Part> block(JsonNode block, String where, boolean ofTool) {
        if (block.isString()) {
            return Words.said(block.stringValue(), where, ofTool);
        }
        Fields fields = Fields.of(block, where, "a block with a type");
        String type = fields.text("type");
        List<Part> parts = new ArrayList<>();
        switch (type) {
            case "text" -> {
                parts.addAll(Words.said(fields.text("text"), fields.at("text"), ofTool));
                parts.addAll(fields.definition("citations"));
            }
            case "thinking" -> {
                parts.addAll(Words.said(fields.text("thinking"), fields.at("thinking"), ofTool));
                parts.addAll(signature(fields));
            }
            case "image" -> parts.addAll(image(fields));
            case "document" -> {
                parts.addAll(document(fields, ofTool));
                parts.addAll(fields.words("title"));
                parts.addAll(fields.words("context"));
                parts.addAll(fields.setting("citations"));
            }
            case "search_result" -> {
                parts.addAll(content(fields.take("content"), fields.at("content"), ofTool));
                parts.addAll(fields.words("title"));
                parts.addAll(fields.words("source"));
                parts.addAll(fields.setting("citations"));
            }
            case "tool_use" -> parts.addAll(call(fields));
            case "tool_result" -> {
                parts.addAll(fields.setting("tool_use_id"));
                parts.addAll(content(fields.take("content"), fields.at("content"), true));
                fields.flag("is_error");
            }
            default -> {
                return List.of(Block.opaque(type, where));
            }
        }
        parts.addAll(fields.setting("cache_control"));
        parts.addAll(fields.rest());
        return parts;
    }

    /** A signature is a seal, and nobody reads it; something else in its place might be read. */
    private static List<Part> signature(Fields fields) {
        JsonNode signature = fields.take("signature");
        return signature == null || Block.isSeal(signature)
                ? List.of()
                : List.of(Words.rendered(signature, fields.at("signature")));
    }

    private static List<Part> call(Fields fields) {
        List<Part> parts = new ArrayList<>(fields.setting("id"));
        parts.addAll(fields.setting("caller"));
        String name = fields.text("name");
        JsonNode input = fields.take("input");
        parts.addAll(ToolCalls.parts(name, input == null ? "" : ToolCalls.arguments(input), fields.at("input")));
        return parts;
    }

    private static List<Part> image(Fields block) {
        Fields source = source(block);
        String where = block.at("source");
        List<Part> parts = new ArrayList<>();
        switch (source.text("type")) {
            case "base64" ->
                parts.add(new Part.ImagePart(
                        "data:" + source.text("media_type") + ";base64," + source.text("data"), where));
            case "url" -> parts.add(new Part.ImagePart(source.text("url"), where));
            default -> {
                return List.of(new Part.OpaquePart("image that is not in the request", where));
            }
        }
        parts.addAll(source.rest());
        return parts;
    }

    private static List<Part> document(Fields block, boolean ofTool) {
        Fields source = source(block);
        List<Part> parts = new ArrayList<>();
        switch (source.text("type")) {
            case "text" -> {
                parts.addAll(Words.said(source.text("data"), source.at("data"), ofTool));
                parts.addAll(source.setting("media_type"));
            }
            case "content" -> parts.addAll(content(source.take("content"), source.at("content"), ofTool));
            default -> {
                return List.of(new Part.OpaquePart("document", block.at("source")));
            }
        }
        parts.addAll(source.rest());
        return parts;
    }

    private static Fields source(Fields block) {
        JsonNode source = block.take("source");
        if (source == null) {
            throw DialectException.invalidRequest(
                    block.at("source"), "'" + block.at("source") + "' is missing; say where the content is");
        }
        return Fields.of(source, block.at("source"), "a source with a type");
    }
}
