package dev.corral.gateway.dialect.anthropic;

import dev.corral.gateway.dialect.AnswerParts;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.gateway.dialect.Voices;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** One block of an answer's content, whole or as it grows. Whatever in it could be text is judged. */
final class Block {

    private static final Pattern SEAL = Pattern.compile("[A-Za-z0-9+/_=-]*");

    /** Which field of a block, and of its deltas, has its text. */
    private static final Map<String, String> DELTAS =
            Map.of("text_delta", "text", "thinking_delta", "thinking", "input_json_delta", "partial_json");

    private final String where;
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder thinking = new StringBuilder();
    private final StringBuilder arguments = new StringBuilder();
    private final AnswerParts others = new AnswerParts();
    private String tool = "";

    Block(String where) {
        this.where = where;
    }

    /**
     * Takes the block as it begins, or as a whole.
     *
     * @return how much there is new to judge
     */
    int begin(JsonNode block) {
        Fields fields = new Fields(block, where);
        JsonNode type = fields.take("type");
        String kind = type == null ? "" : type.asString("");
        int added = switch (kind) {
            case "text" ->
                append(text, fields.take("text"), fields.at("text"))
                        + others.texts(fields.take("citations"), fields.at("citations"));
            case "thinking" ->
                append(thinking, fields.take("thinking"), fields.at("thinking"))
                        + seal(fields.take("signature"), fields.at("signature"));
            case "tool_use" -> beginCall(fields);
            default -> others.add(List.of(opaque(kind, where)));
        };
        return switch (kind) {
            case "text", "thinking", "tool_use" -> added + others.unread(fields);
            default -> added;
        };
    }

    /** Takes what came to a block that has begun. */
    int grow(JsonNode delta) {
        Fields fields = new Fields(delta, where);
        JsonNode type = fields.take("type");
        String kind = type == null ? "" : type.asString("");
        String field = DELTAS.getOrDefault(kind, "");
        int added = switch (kind) {
            case "text_delta" -> append(text, fields.take(field), fields.at(field));
            case "thinking_delta" -> append(thinking, fields.take(field), fields.at(field));
            case "input_json_delta" -> append(arguments, fields.take(field), fields.at(field));
            case "signature_delta" -> seal(fields.take("signature"), fields.at("signature"));
            case "citations_delta" -> others.texts(fields.take("citation"), fields.at("citation"));
            default -> others.opaque("event of type '" + Words.shortened(kind) + "'", where);
        };
        return kind.endsWith("_delta") ? added + others.unread(fields) : added;
    }

    /** Whose it is: a call of a tool is a voice of its own. */
    String voice() {
        return isCall() ? where : Voices.ONE;
    }

    /** Everything up to now. */
    List<Part> parts() {
        List<Part> parts = new ArrayList<>();
        if (!thinking.isEmpty()) {
            parts.add(new Part.TextPart(Words.wellFormed(thinking.toString()), where + ".thinking"));
        }
        if (!text.isEmpty()) {
            parts.add(new Part.TextPart(Words.wellFormed(text.toString()), where + ".text"));
        }
        if (isCall()) {
            parts.addAll(ToolCalls.parts(tool, arguments.toString(), where + ".input"));
        }
        parts.addAll(others.parts());
        return parts;
    }

    private boolean isCall() {
        return !tool.isEmpty() || !arguments.isEmpty();
    }

    private int beginCall(Fields fields) {
        int added = others.neutral(fields.take("id"), fields.at("id"));
        added += others.neutral(fields.take("caller"), fields.at("caller"));
        JsonNode name = fields.take("name");
        if (name != null && name.isString()) {
            tool = name.stringValue();
            added += tool.length();
        } else {
            added += others.texts(name, fields.at("name"));
        }
        JsonNode input = fields.take("input");
        if (input != null && !Words.isTextless(input)) {
            String whole = ToolCalls.arguments(input);
            arguments.append(whole);
            added += whole.length();
        }
        return added;
    }

    private int append(StringBuilder to, @Nullable JsonNode value, String at) {
        if (value == null) {
            return 0;
        }
        if (!value.isString()) {
            return Words.isTextless(value) ? 0 : others.opaque("text that is not one", at);
        }
        to.append(value.stringValue());
        return value.stringValue().length();
    }

    private int seal(@Nullable JsonNode value, String at) {
        return value == null || isSeal(value) ? 0 : others.texts(value, at);
    }

    /** Whether it is nothing but the digits of an encoded number, which seals and identifiers are. */
    static boolean isSeal(JsonNode value) {
        return value.isString() && SEAL.matcher(value.stringValue()).matches();
    }

    /** A block that no guard here reads, whatever its fields are. */
    static Part opaque(String type, String where) {
        return new Part.OpaquePart(
                type.isEmpty() ? "block without a type" : "block of type '" + Words.shortened(type) + "'", where);
    }
}
