package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.gateway.dialect.Words;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** {@code POST /v1/chat/completions}. */
final class OpenAiRequestReader extends RequestReader {

    /** What says how OpenAI is to keep, bill and cache, and Ollama to load. */
    static final Set<String> MEANINGLESS =
            Set.of("metadata", "service_tier", "prompt_cache_key", "prompt_cache_retention", "keep_alive");

    private static final Set<String> MEANINGLESS_HERE = Set.of("cache_control");
    private static final List<String> THOUGHTS = List.of("reasoning_content", "reasoning", "thinking");

    OpenAiRequestReader(Target target) {
        super(target);
    }

    @Override
    ChatRequest read(JsonNode body) {
        Fields fields = new Fields(body, "");
        List<Message> messages = new ArrayList<>();
        objects(fields, "messages", "a message").forEach(message -> messages.add(message(message)));
        List<Tool> tools =
                objects(fields, "tools", "a tool").stream().map(this::function).toList();
        settings(fields);
        ChatRequest request = new ChatRequest(
                text(fields, "model"),
                fields.flag("stream"),
                includesUsage(object(fields, "stream_options")),
                messages,
                tools,
                choice(fields),
                format(fields),
                settings);
        target.refuseRest(fields, MEANINGLESS);
        return request;
    }

    private void settings(Fields fields) {
        take(fields, "temperature", Setting.TEMPERATURE);
        take(fields, "top_p", Setting.TOP_P);
        take(fields, "top_k", Setting.TOP_K);
        take(fields, "min_p", Setting.MIN_P);
        take(fields, "max_tokens", Setting.MAX_TOKENS);
        take(fields, "max_completion_tokens", Setting.MAX_TOKENS);
        takeStop(fields, "stop");
        take(fields, "seed", Setting.SEED);
        take(fields, "presence_penalty", Setting.PRESENCE_PENALTY);
        take(fields, "frequency_penalty", Setting.FREQUENCY_PENALTY);
        take(fields, "safety_identifier", Setting.USER);
        take(fields, "user", Setting.USER);
        String effort = text(fields, "reasoning_effort");
        if (!effort.isEmpty()) {
            think(effort(effort, fields.at("reasoning_effort")), fields.at("reasoning_effort"));
        }
        JsonNode parallel = fields.take("parallel_tool_calls");
        if (parallel != null && !parallel.booleanValue()) {
            oneCallAtATime(fields.at("parallel_tool_calls"));
        }
        JsonNode n = fields.take("n");
        if (n != null && n.asInt() != 1) {
            throw target.refusal(fields.at("n"), "a request has one answer there");
        }
    }

    private Effort effort(String word, String where) {
        return word.equals("none")
                ? Effort.OFF
                : Effort.graded(word)
                        .orElseThrow(() -> target.refusal(where, "none, low, medium and high are what both know"));
    }

    private boolean includesUsage(Fields options) {
        boolean usage = options.flag("include_usage");
        target.refuseRest(options, Set.of("include_obfuscation"));
        return usage;
    }

    private ToolChoice choice(Fields fields) {
        JsonNode choice = fields.take("tool_choice");
        String where = fields.at("tool_choice");
        if (choice == null) {
            return new ToolChoice.Auto();
        }
        if (choice.isString()) {
            return switch (choice.stringValue()) {
                case "auto" -> new ToolChoice.Auto();
                case "none" -> new ToolChoice.None();
                case "required" -> new ToolChoice.Any(where);
                default -> throw target.refusal(where, "auto, none, required or one function is what both know");
            };
        }
        Fields named = Fields.of(choice, where, "a choice of a function");
        Fields function = kind(named, "function");
        ToolChoice.Named read = new ToolChoice.Named(function.text("name"), where);
        target.refuseRest(function, Set.of());
        target.refuseRest(named, Set.of());
        return read;
    }

    private Optional<Format> format(Fields fields) {
        Fields format = object(fields, "response_format");
        String type = text(format, "type");
        return switch (type) {
            case "", "text" -> {
                target.refuseRest(format, Set.of());
                yield Optional.empty();
            }
            case "json_object" -> {
                target.refuseRest(format, Set.of());
                yield Optional.of(new Format.Json(format.where()));
            }
            case "json_schema" -> {
                Fields schema = object(format, "json_schema");
                if (!text(schema, "description").isEmpty()) {
                    throw target.refusal(schema.at("description"), "put it into the schema itself");
                }
                Format read = new Format.Schema(
                        schema.text("name"), schema(schema.take("schema")), schema.flag("strict"), format.where());
                target.refuseRest(schema, Set.of());
                target.refuseRest(format, Set.of());
                yield Optional.of(read);
            }
            default -> throw target.refusal(format.at("type"), "text, json_object or json_schema is what others know");
        };
    }

    private Message message(Fields message) {
        String where = message.where();
        String role = message.text("role");
        JsonNode content = message.take("content");
        String at = message.at("content");
        Message read = switch (role) {
            case "system", "developer" -> new Message.Instructions(texts(content, at), where);
            case "user" -> new Message.Question(parts(content, at), where);
            case "assistant" -> reply(message, content, at);
            case "tool" ->
                new Message.Result(
                        message.text("tool_call_id"), text(message, "name"), said(content, at), false, where);
            default -> throw target.refusal(message.at("role"), "use system, user, assistant or tool");
        };
        target.refuseRest(message, MEANINGLESS_HERE);
        return read;
    }

    private Message reply(Fields message, @Nullable JsonNode content, String at) {
        List<Content> said = new ArrayList<>();
        for (String name : THOUGHTS) {
            String thought = text(message, name);
            if (!thought.isEmpty()) {
                said.add(new Content.Thought(thought, message.at(name)));
            }
        }
        said.addAll(said(content, at));
        String refusal = text(message, "refusal");
        if (!refusal.isEmpty()) {
            said.add(new Content.Text(refusal));
        }
        objects(message, "tool_calls", "a call").forEach(call -> said.add(call(call)));
        message.take("id");
        return new Message.Reply(said, message.where());
    }

    private Content.Call call(Fields call) {
        Fields function = kind(call, "function");
        JsonNode arguments = function.take("arguments");
        Content.Call read = new Content.Call(
                call.text("id"),
                function.text("name"),
                arguments == null ? "" : ToolCalls.arguments(arguments),
                function.at("arguments"));
        call.take("index");
        target.refuseRest(function, Set.of());
        target.refuseRest(call, Set.of());
        return read;
    }

    private List<String> texts(@Nullable JsonNode content, String where) {
        return said(content, where).stream()
                .map(said -> ((Content.Text) said).text())
                .toList();
    }

    /** What is text only. */
    private List<Content> said(@Nullable JsonNode content, String where) {
        List<Content> parts = parts(content, where);
        parts.forEach(part -> {
            if (part instanceof Content.InlineImage || part instanceof Content.LinkedImage) {
                throw target.refusal(where, "only a user's message may have images");
            }
        });
        return parts;
    }

    private List<Content> parts(@Nullable JsonNode content, String where) {
        return contents(content, where, this::part);
    }

    private Content part(JsonNode part, String where) {
        if (part.isString()) {
            return new Content.Text(part.stringValue());
        }
        Fields fields = Fields.of(part, where, "a part with a type");
        String type = fields.text("type");
        Content read = switch (type) {
            case "text", "refusal" -> new Content.Text(fields.text(type));
            case "image_url" -> picture(fields);
            default -> throw target.refusal(where, "it is a part of type '" + Words.shortened(type) + "'");
        };
        target.refuseRest(fields, MEANINGLESS_HERE);
        return read;
    }

    private Content picture(Fields part) {
        JsonNode image = part.take("image_url");
        if (image == null) {
            throw DialectException.invalidRequest(part.at("image_url"), "'" + part.at("image_url") + "' is missing");
        }
        if (image.isString()) {
            return image(image.stringValue(), part.at("image_url"));
        }
        Fields fields = Fields.of(image, part.at("image_url"), "an image with a url");
        Content read = image(fields.text("url"), fields.where());
        target.refuseRest(fields, Set.of("detail"));
        return read;
    }
}
