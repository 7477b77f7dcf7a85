package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.gateway.dialect.Words;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** {@code POST /v1/messages}. */
final class AnthropicRequestReader extends RequestReader {

    /** What says how Anthropic is to cache and bill. */
    static final Set<String> MEANINGLESS = Set.of("cache_control", "service_tier");

    AnthropicRequestReader(Target target) {
        super(target);
    }

    @Override
    ChatRequest read(JsonNode body) {
        Fields fields = new Fields(body, "");
        List<Message> messages = new ArrayList<>();
        JsonNode system = fields.take("system");
        if (system != null && !Words.isTextless(system)) {
            messages.add(new Message.Instructions(texts(system, fields.at("system")), fields.at("system")));
        }
        objects(fields, "messages", "a message").forEach(message -> messages.addAll(message(message)));
        List<Tool> tools =
                objects(fields, "tools", "a tool").stream().map(this::tool).toList();
        settings(fields);
        Optional<Format> format = output(fields);
        ChatRequest request = new ChatRequest(
                text(fields, "model"), fields.flag("stream"), true, messages, tools, choice(fields), format, settings);
        target.refuseRest(fields, MEANINGLESS);
        return request;
    }

    private void settings(Fields fields) {
        take(fields, "temperature", Setting.TEMPERATURE);
        take(fields, "top_p", Setting.TOP_P);
        take(fields, "top_k", Setting.TOP_K);
        take(fields, "max_tokens", Setting.MAX_TOKENS);
        takeStop(fields, "stop_sequences");
        Fields metadata = object(fields, "metadata");
        take(metadata, "user_id", Setting.USER);
        target.refuseRest(metadata, Set.of());
        Fields thinking = object(fields, "thinking");
        switch (text(thinking, "type")) {
            case "" -> {}
            case "disabled" -> think(Effort.OFF, thinking.where());
            case "enabled", "adaptive" -> think(Effort.ON, thinking.where());
            default -> throw target.refusal(thinking.at("type"), "enabled, adaptive and disabled are what others know");
        }
        // what is thought counts against max_tokens, which is carried
        target.refuseRest(thinking, Set.of("budget_tokens"));
    }

    private Optional<Format> output(Fields fields) {
        Fields output = object(fields, "output_config");
        String effort = text(output, "effort");
        if (!effort.isEmpty() && !isOff()) {
            think(
                    Effort.graded(effort)
                            .orElseThrow(() ->
                                    target.refusal(output.at("effort"), "low, medium and high are what others know")),
                    output.at("effort"));
        }
        Optional<Format> format = format(object(output, "format")).or(() -> format(object(fields, "output_format")));
        target.refuseRest(output, Set.of());
        return format;
    }

    private boolean isOff() {
        Given thinking = settings.get(Setting.THINKING);
        return thinking != null && thinking.value().stringValue().equals(Effort.OFF.word());
    }

    private Optional<Format> format(Fields format) {
        String type = text(format, "type");
        if (type.isEmpty()) {
            target.refuseRest(format, Set.of());
            return Optional.empty();
        }
        if (!type.equals("json_schema")) {
            throw target.refusal(format.at("type"), "json_schema is what others know");
        }
        Format read = new Format.Schema("answer", schema(format.take("schema")), true, format.where());
        target.refuseRest(format, Set.of());
        return Optional.of(read);
    }

    private ToolChoice choice(Fields fields) {
        Fields choice = object(fields, "tool_choice");
        if (choice.flag("disable_parallel_tool_use")) {
            oneCallAtATime(choice.at("disable_parallel_tool_use"));
        }
        String type = text(choice, "type");
        ToolChoice read = switch (type) {
            case "", "auto" -> new ToolChoice.Auto();
            case "none" -> new ToolChoice.None();
            case "any" -> new ToolChoice.Any(choice.where());
            case "tool" -> new ToolChoice.Named(choice.text("name"), choice.where());
            default -> throw target.refusal(choice.at("type"), "auto, none, any and tool are what others know");
        };
        target.refuseRest(choice, Set.of());
        return read;
    }

    private Tool tool(Fields tool) {
        String type = text(tool, "type");
        if (!type.isEmpty() && !type.equals("custom")) {
            throw target.refusal(tool.at("type"), "a tool that Anthropic runs itself is nowhere else");
        }
        Tool read = new Tool(
                tool.text("name"),
                text(tool, "description"),
                schema(tool.take("input_schema")),
                tool.flag("strict"),
                tool.where());
        target.refuseRest(tool, Set.of("cache_control"));
        return read;
    }

    /** The results of tools are in the user's messages, and are messages of their own elsewhere. */
    private List<Message> message(Fields message) {
        String where = message.where();
        String role = message.text("role");
        JsonNode content = message.take("content");
        String at = message.at("content");
        List<Message> read = switch (role) {
            case "system" -> List.of(new Message.Instructions(texts(content, at), where));
            case "assistant" -> List.of(new Message.Reply(blocks(content, at), where));
            case "user" -> userSays(content, at, where);
            default -> throw target.refusal(message.at("role"), "use user or assistant");
        };
        target.refuseRest(message, Set.of());
        return read;
    }

    private List<Message> userSays(@Nullable JsonNode content, String at, String where) {
        if (content == null || !content.isArray()) {
            return List.of(new Message.Question(blocks(content, at), where));
        }
        List<Message> messages = new ArrayList<>();
        List<Content> said = new ArrayList<>();
        for (int i = 0; i < content.size(); i++) {
            JsonNode block = content.get(i);
            String place = at + "[" + i + "]";
            if (block.path("type").asString("").equals("tool_result")) {
                if (!said.isEmpty()) {
                    messages.add(new Message.Question(said, where));
                    said.clear();
                }
                messages.add(result(Fields.of(block, place, "a block")));
            } else {
                said.add(block(block, place));
            }
        }
        if (!said.isEmpty() || messages.isEmpty()) {
            messages.add(new Message.Question(said, where));
        }
        return messages;
    }

    private Message.Result result(Fields block) {
        block.take("type");
        Message.Result read = new Message.Result(
                block.text("tool_use_id"),
                "",
                blocks(block.take("content"), block.at("content")),
                block.flag("is_error"),
                block.where());
        target.refuseRest(block, Set.of("cache_control"));
        return read;
    }

    private List<String> texts(@Nullable JsonNode content, String where) {
        return blocks(content, where).stream()
                .map(block -> {
                    if (block instanceof Content.Text text) {
                        return text.text();
                    }
                    throw target.refusal(where, "instructions are text");
                })
                .toList();
    }

    private List<Content> blocks(@Nullable JsonNode content, String where) {
        return contents(content, where, this::block);
    }

    private Content block(JsonNode block, String where) {
        if (block.isString()) {
            return new Content.Text(block.stringValue());
        }
        Fields fields = Fields.of(block, where, "a block with a type");
        String type = fields.text("type");
        Content read = switch (type) {
            case "text" -> new Content.Text(fields.text("text"));
            case "image" -> image(fields);
            case "thinking" -> new Content.Thought(fields.text("thinking"), where);
            case "tool_use" -> call(fields);
            default -> throw target.refusal(where, "it is a block of type '" + Words.shortened(type) + "'");
        };
        // a signature is Anthropic's seal on its own thoughts
        target.refuseRest(fields, Set.of("cache_control", "signature", "caller"));
        return read;
    }

    private static Content.Call call(Fields block) {
        JsonNode input = block.take("input");
        return new Content.Call(
                block.text("id"),
                block.text("name"),
                input == null ? "" : ToolCalls.arguments(input),
                block.at("input"));
    }

    private Content image(Fields block) {
        Fields source = object(block, "source");
        String where = source.where();
        Content read = switch (source.text("type")) {
            case "base64" -> new Content.InlineImage(source.text("media_type"), source.text("data"), where);
            case "url" -> new Content.LinkedImage(source.text("url"), where);
            default -> throw target.refusal(where, "the image is in Anthropic's files; send it in base64");
        };
        target.refuseRest(source, Set.of());
        return read;
    }
}
