package dev.corral.gateway.dialect.ollama;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.AnswerParts;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.gateway.dialect.Voices;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Puts an answer together, from one body or from the lines of a stream: a whole one is a stream of a single line. */
final class OllamaAnswer {

    private static final List<String> NEUTRAL =
            List.of("model", "created_at", "remote_model", "remote_host", "done_reason", "request_id");

    private final Map<String, StringBuilder> texts = new LinkedHashMap<>();
    private final StringBuilder tokens = new StringBuilder();
    private final List<Part> calls = new ArrayList<>();
    private final AnswerParts others = new AnswerParts();
    private final Voices voices = new Voices();

    /**
     * Takes a whole answer or the next line.
     *
     * @return how much there is new to judge
     */
    int accept(JsonNode line) {
        if (!line.isObject()) {
            throw DialectException.unreadable("it is not a JSON object");
        }
        Fields fields = new Fields(line, "");
        int added = 0;
        for (String name : NEUTRAL) {
            added += others.neutral(fields.take(name), name);
        }
        added += others.texts(fields.take("error"), "error");
        added += grow("thinking", fields.take("thinking"));
        added += grow("response", fields.take("response"));
        JsonNode message = fields.take("message");
        if (message != null) {
            added += message.isObject() ? message(message) : others.opaque("field 'message'", "message");
        }
        added += calls(fields.take("tool_calls"), "tool_calls");
        added += context(fields.take("context"));
        for (String name : List.of("embedding", "embeddings")) {
            added += others.texts(fields.take(name), name);
        }
        added += logprobs(fields.take("logprobs"));
        return added + others.unread(fields);
    }

    /** Everything up to now. */
    Answer answer() {
        List<Part> parts = new ArrayList<>();
        texts.forEach((where, text) -> parts.add(new Part.TextPart(Words.wellFormed(text.toString()), where)));
        parts.addAll(calls);
        if (tokensDiffer()) {
            parts.add(new Part.TextPart(Words.wellFormed(tokens.toString()), "logprobs"));
        }
        parts.addAll(others.parts());
        return new Answer(parts.isEmpty() ? List.of() : List.of(new Turn(Role.ASSISTANT, parts)));
    }

    /** Who says what. */
    Voices voices() {
        return voices;
    }

    private int message(JsonNode message) {
        Fields fields = new Fields(message, "message");
        int added = others.neutral(fields.take("role"), "message.role");
        added += others.texts(fields.take("tool_name"), "message.tool_name");
        added += grow("message.thinking", fields.take("thinking"));
        added += grow("message.content", fields.take("content"));
        added += calls(fields.take("tool_calls"), "message.tool_calls");
        return added + others.unread(fields);
    }

    private int grow(String where, @Nullable JsonNode value) {
        if (value == null || Words.isTextless(value)) {
            return 0;
        }
        if (!value.isString()) {
            return others.opaque("field '" + where + "'", where);
        }
        texts.computeIfAbsent(where, _ -> new StringBuilder()).append(value.stringValue());
        return value.stringValue().length();
    }

    /** Calls are never in fragments: each is whole in one line. */
    private int calls(@Nullable JsonNode list, String where) {
        if (list == null || Words.isTextless(list)) {
            return 0;
        }
        if (!list.isArray()) {
            return others.opaque("calls of tools", where);
        }
        int added = 0;
        for (JsonNode call : list.values()) {
            String at = where + "[" + calls.size() + "]";
            added += voices.hear(at, () -> call(call, at));
        }
        return added;
    }

    private int call(JsonNode call, String where) {
        JsonNode function = call.path("function");
        if (!function.isObject()) {
            return others.opaque("call of a tool", where);
        }
        Fields outer = new Fields(call, where);
        outer.take("function");
        int added = others.neutral(outer.take("id"), outer.at("id")) + others.neutral(outer.take("type"), where);
        Fields fields = new Fields(function, where + ".function");
        fields.take("index");
        JsonNode name = fields.take("name");
        JsonNode arguments = fields.take("arguments");
        List<Part> parts = ToolCalls.parts(
                name == null ? "" : ToolCalls.arguments(name),
                arguments == null ? "" : ToolCalls.arguments(arguments),
                where);
        calls.addAll(parts);
        return added + parts.stream().mapToInt(Words::size).sum() + others.unread(outer) + others.unread(fields);
    }

    /**
     * The tokens of this exchange by their ids. All of it was judged as text, and the client can do nothing with the ids
     * but send them back, where they are opaque.
     */
    private int context(@Nullable JsonNode context) {
        return context == null
                        || (context.isArray() && context.values().stream().allMatch(JsonNode::isNumber))
                ? 0
                : others.opaque("context", "context");
    }

    /** Tokens spell the text once more; they count only where they spell another one. */
    private int logprobs(@Nullable JsonNode list) {
        if (list == null) {
            return 0;
        }
        int added = 0;
        int before = tokens.length();
        for (JsonNode entry : list.values()) {
            Fields fields = new Fields(entry, "logprobs");
            JsonNode token = fields.take("token");
            tokens.append(token == null ? "" : token.asString(""));
            JsonNode bytes = fields.take("bytes");
            added += bytes == null ? 0 : others.texts(bytes, "logprobs.bytes");
            added += others.neutral(fields.take("top_logprobs"), "logprobs.top_logprobs");
            added += others.unread(fields);
        }
        return added + (tokensDiffer() ? tokens.length() - before : 0);
    }

    private boolean tokensDiffer() {
        String spelled = tokens.toString();
        return !spelled.isEmpty()
                && texts.values().stream().noneMatch(text -> text.toString().equals(spelled))
                && !String.join("", texts.values()).equals(spelled);
    }
}
