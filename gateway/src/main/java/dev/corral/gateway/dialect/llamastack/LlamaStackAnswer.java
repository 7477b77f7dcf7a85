package dev.corral.gateway.dialect.llamastack;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.AnswerParts;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.Voices;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Puts an answer together, from one body or from the chunks of a stream. */
final class LlamaStackAnswer {

    private final StringBuilder text = new StringBuilder();
    private final StringBuilder call = new StringBuilder();
    private final StringBuilder tokens = new StringBuilder();
    private final AnswerParts others = new AnswerParts();
    private final Voices voices = new Voices();

    /**
     * Takes a whole answer or the next chunk.
     *
     * @return how much there is new to judge
     */
    int accept(JsonNode root) {
        if (!root.isObject()) {
            throw DialectException.unreadable("it is not a JSON object");
        }
        Fields fields = new Fields(root, "");
        int added = others.neutral(fields.take("metrics"), "metrics");
        added += others.texts(fields.take("error"), "error");
        added += others.texts(fields.take("detail"), "detail");
        for (String name : List.of("completion_message", "event")) {
            JsonNode within = fields.take(name);
            if (within != null) {
                added += within.isObject()
                        ? said(new Fields(within, name))
                        : others.opaque("field '" + name + "'", name);
            }
        }
        return added + said(fields);
    }

    /** Everything up to now. */
    Answer answer() {
        List<Part> parts = new ArrayList<>();
        if (!text.isEmpty()) {
            parts.add(new Part.TextPart(Words.wellFormed(text.toString()), "content"));
        }
        if (!call.isEmpty()) {
            parts.add(new Part.ToolCallPart("", Words.wellFormed(call.toString()), "tool_call"));
        }
        if (tokensDiffer()) {
            parts.add(new Part.TextPart(Words.wellFormed(tokens.toString()), "logprobs"));
        }
        parts.addAll(others.parts());
        return new Answer(parts.isEmpty() ? List.of() : List.of(new Turn(Role.ASSISTANT, parts)));
    }

    AnswerParts others() {
        return others;
    }

    /** Who says what; fragments do not tell of which call they are. */
    Voices voices() {
        return voices;
    }

    private int said(Fields fields) {
        int added = 0;
        for (String name : List.of("role", "stop_reason", "event_type")) {
            added += others.neutral(fields.take(name), fields.at(name));
        }
        added += content(fields.take("content"), fields.at("content"));
        added += content(fields.take("delta"), fields.at("delta"));
        JsonNode calls = fields.take("tool_calls");
        if (calls != null) {
            for (JsonNode one : calls.values()) {
                added += others.add(LlamaStackContent.call(one, fields.at("tool_calls")));
            }
            added += calls.isArray() ? 0 : others.opaque("calls of tools", fields.at("tool_calls"));
        }
        added += logprobs(fields.take("logprobs"), fields.at("logprobs"));
        return added + others.unread(fields);
    }

    private int content(@Nullable JsonNode value, String where) {
        if (value == null) {
            return 0;
        }
        if (value.isString()) {
            text.append(value.stringValue());
            return value.stringValue().length();
        }
        if (value.isArray()) {
            int added = 0;
            for (JsonNode item : value.values()) {
                added += content(item, where);
            }
            return added;
        }
        if (!value.isObject()) {
            return others.opaque("text that is not one", where);
        }
        Fields fields = new Fields(value, where);
        JsonNode type = fields.take("type");
        String kind = type == null ? "" : type.asString("");
        return switch (kind) {
            case "text" -> content(fields.take("text"), fields.at("text")) + others.unread(fields);
            case "tool_call" -> voices.hear("tool_call", () -> call(fields)) + others.unread(fields);
            default -> others.opaque("item of type '" + Words.shortened(kind) + "'", where);
        };
    }

    /** A fragment of a call is a text; a call that is complete is an object. */
    private int call(Fields fields) {
        int added = others.neutral(fields.take("parse_status"), fields.at("parse_status"));
        JsonNode value = fields.take("tool_call");
        if (value == null) {
            return added;
        }
        if (value.isString()) {
            call.append(value.stringValue());
            return added + value.stringValue().length();
        }
        return added + others.add(LlamaStackContent.call(value, fields.at("tool_call")));
    }

    /** Tokens are the names of fields, and spell the text once more; they count only where they spell another one. */
    private int logprobs(@Nullable JsonNode list, String where) {
        if (list == null) {
            return 0;
        }
        int added = 0;
        int before = tokens.length();
        for (JsonNode entry : list.values()) {
            Fields fields = new Fields(entry, where);
            JsonNode byToken = fields.take("logprobs_by_token");
            if (byToken != null) {
                byToken.properties().forEach(token -> tokens.append(token.getKey()));
                added += others.texts(byToken, where);
            }
            added += others.unread(fields);
        }
        return added + (tokensDiffer() ? tokens.length() - before : 0);
    }

    private boolean tokensDiffer() {
        return !tokens.isEmpty() && !tokens.toString().contentEquals(text);
    }
}
