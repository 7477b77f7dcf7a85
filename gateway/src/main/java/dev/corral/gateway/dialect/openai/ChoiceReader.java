package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.Voices;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Part;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Puts one choice of an answer together. Whatever in it could be text is judged; what is not known is opaque. */
final class ChoiceReader {

    /** The texts of a message. Reasoning is among them: most clients show it. */
    private static final List<String> TEXTS =
            List.of("reasoning_content", "reasoning", "thinking", "content", "refusal");

    /** The one text of a choice that completes a text. */
    private static final String TEXT = Form.TEXT.message();

    private static final Pattern PART_OF_CHARACTER =
            Pattern.compile("\uFFFD*|(bytes:)?(\\\\x[0-9a-fA-F]{2}|<0x[0-9a-fA-F]{2}>)+|token_id:\\d+");

    private final String message;
    private final String where;
    private final Map<String, StringBuilder> texts = new LinkedHashMap<>();
    private final Map<String, ByteArrayOutputStream> tokens = new LinkedHashMap<>();
    private final Calls calls;
    private final List<Part> others = new ArrayList<>();
    private boolean hasRole;
    private boolean hasEnd;

    ChoiceReader(String message, String where, Voices voices) {
        this.message = message;
        this.where = where;
        this.calls = new Calls(voices);
        TEXTS.forEach(name -> texts.put(name, new StringBuilder()));
    }

    /** Whether the client was or will be told who speaks. */
    boolean hasRole() {
        return hasRole;
    }

    /** Whether there was a finish reason. */
    boolean hasEnd() {
        return hasEnd;
    }

    /**
     * Takes a whole choice, or what a chunk adds to it.
     *
     * @return how much there is new to judge
     */
    int accept(JsonNode choice) {
        Fields fields = new Fields(choice, where);
        fields.take("index");
        JsonNode said = fields.take(message);
        int added = said == null
                ? 0
                : message.equals(TEXT)
                        ? acceptText(said, TEXT, fields.at(TEXT))
                        : acceptMessage(said, fields.at(message));
        JsonNode end = fields.take("finish_reason");
        hasEnd |= end != null;
        added += neutral(end, fields.at("finish_reason"));
        for (String name : List.of("stop_reason", "matched_stop", "native_finish_reason")) {
            added += neutral(fields.take(name), fields.at(name));
        }
        JsonNode error = fields.take("error");
        added += error == null ? 0 : add(Words.texts(error, fields.at("error")).toList());
        JsonNode logprobs = fields.take("logprobs");
        added += logprobs == null ? 0 : acceptLogprobs(logprobs, fields.at("logprobs"));
        return added + add(fields.unread(Words::isTextless));
    }

    /** Everything up to now. */
    List<Part> parts() {
        List<Part> parts = new ArrayList<>();
        texts.forEach((name, text) -> {
            if (!text.isEmpty()) {
                parts.add(new Part.TextPart(
                        Words.wellFormed(text.toString()),
                        where + "." + (name.equals(TEXT) ? name : message + "." + name)));
            }
        });
        parts.addAll(calls.parts());
        tokens.keySet().stream()
                .filter(this::tokensDiffer)
                .forEach(name -> parts.add(new Part.TextPart(joined(name), where + ".logprobs." + name)));
        parts.addAll(others);
        return parts;
    }

    private int acceptMessage(JsonNode value, String at) {
        if (!value.isObject()) {
            return add(List.of(new Part.OpaquePart("field '" + message + "'", at)));
        }
        Fields fields = new Fields(value, at);
        JsonNode role = fields.take("role");
        hasRole |= role != null;
        int added = neutral(role, fields.at("role"));
        for (String name : TEXTS) {
            added += acceptText(fields.take(name), name, fields.at(name));
        }
        added += calls.acceptAll(fields.take("tool_calls"), fields.at("tool_calls"));
        added += calls.acceptFunction(fields.take("function_call"), fields.at("function_call"));
        JsonNode annotations = fields.take("annotations");
        added += annotations == null
                ? 0
                : add(Words.texts(annotations, fields.at("annotations")).toList());
        return added + add(fields.unread(Words::isTextless));
    }

    private int acceptText(@Nullable JsonNode value, String name, String at) {
        if (value == null) {
            return 0;
        }
        if (value.isString()) {
            return append(name, value.stringValue());
        }
        if (!value.isArray()) {
            return add(List.of(new Part.OpaquePart("field '" + name + "'", at)));
        }
        int added = 0;
        for (int i = 0; i < value.size(); i++) {
            added += acceptPart(value.get(i), name, at + "[" + i + "]");
        }
        return added;
    }

    private int acceptPart(JsonNode part, String name, String at) {
        if (part.isString()) {
            return append(name, part.stringValue());
        }
        Fields fields = new Fields(part, at);
        JsonNode type = fields.take("type");
        if (type == null || !type.isString()) {
            return add(List.of(new Part.OpaquePart("part without a type", at)));
        }
        JsonNode text = fields.take(type.stringValue());
        boolean isText = type.stringValue().equals("text") || type.stringValue().equals("refusal");
        if (!isText || text == null || !text.isString()) {
            return add(List.of(ChatRequestReader.opaque(type.stringValue(), at)));
        }
        return append(name, text.stringValue()) + add(fields.unread(Words::isTextless));
    }

    private int acceptLogprobs(JsonNode value, String at) {
        if (!value.isObject()) {
            return add(List.of(new Part.OpaquePart("field 'logprobs'", at)));
        }
        Fields fields = new Fields(value, at);
        int added = message.equals(TEXT) ? acceptTextTokens(fields) : 0;
        for (String name : List.of("content", "refusal")) {
            JsonNode list = fields.take(name);
            if (list != null) {
                added += acceptTokens(list, name, fields.at(name));
            }
        }
        return added + add(fields.unread(Words::isTextless));
    }

    /** Tokens spell the text once more; they count only where they spell another one. */
    private int acceptTokens(JsonNode list, String name, String at) {
        ByteArrayOutputStream spelled = tokens.computeIfAbsent(name, n -> new ByteArrayOutputStream());
        int before = spelled.size();
        int added = list.isArray() ? 0 : add(List.of(new Part.OpaquePart("field 'logprobs'", at)));
        for (JsonNode entry : list.values()) {
            if (!entry.isObject() && !Words.isTextless(entry)) {
                added += add(List.of(new Part.OpaquePart("field 'logprobs'", at)));
            }
            Fields fields = new Fields(entry, at);
            JsonNode token = fields.take("token");
            byte[] spelling = spelling(token, fields.take("bytes"));
            spelled.writeBytes(spelling);
            added += token == null || isSpelled(token, spelling)
                    ? 0
                    : add(Words.texts(token, at).toList());
            added += neutral(fields.take("top_logprobs"), fields.at("top_logprobs"));
            added += add(fields.unread(Words::isTextless));
        }
        return added + (tokensDiffer(name) ? spelled.size() - before : 0);
    }

    /** The same in the form of before there were chats: lists side by side. */
    private int acceptTextTokens(Fields fields) {
        JsonNode list = fields.take("tokens");
        ByteArrayOutputStream spelled = tokens.computeIfAbsent(TEXT, _ -> new ByteArrayOutputStream());
        int before = spelled.size();
        int added = 0;
        if (list != null) {
            for (JsonNode token : list.values()) {
                spelled.writeBytes(spelling(token, null));
            }
            added += list.isArray() && list.values().stream().allMatch(token -> token.isString() || token.isNull())
                    ? 0
                    : add(List.of(new Part.OpaquePart("field 'tokens'", fields.at("tokens"))));
        }
        for (String name : List.of("token_logprobs", "text_offset")) {
            JsonNode numbers = fields.take(name);
            added += numbers == null || isNumbers(numbers)
                    ? 0
                    : add(List.of(new Part.OpaquePart("field '" + name + "'", fields.at(name))));
        }
        JsonNode alternatives = fields.take("top_logprobs");
        if (alternatives != null
                && !(alternatives.isArray() && alternatives.values().stream().allMatch(Words::isNeutralWithNames))) {
            added += add(List.of(Words.rendered(alternatives, fields.at("top_logprobs"))));
        }
        return added + (tokensDiffer(TEXT) ? spelled.size() - before : 0);
    }

    private static boolean isNumbers(JsonNode list) {
        return list.isArray() && list.values().stream().allMatch(number -> number.isNumber() || number.isNull());
    }

    private static byte[] spelling(@Nullable JsonNode token, @Nullable JsonNode bytes) {
        if (bytes != null
                && bytes.isArray()
                && bytes.values().stream().allMatch(value -> value.isIntegralNumber() && value.canConvertToInt())) {
            byte[] spelled = new byte[bytes.size()];
            for (int i = 0; i < spelled.length; i++) {
                spelled[i] = (byte) bytes.get(i).asInt();
            }
            return spelled;
        }
        return token != null && token.isString() ? token.stringValue().getBytes(StandardCharsets.UTF_8) : new byte[0];
    }

    /** Whether a token says what its bytes do; one that is a part of a character cannot, and is told by its bytes or number. */
    private static boolean isSpelled(JsonNode token, byte[] bytes) {
        return token.isString()
                && (token.stringValue().equals(new String(bytes, StandardCharsets.UTF_8))
                        || PART_OF_CHARACTER.matcher(token.stringValue()).matches());
    }

    private boolean tokensDiffer(String name) {
        StringBuilder text = texts.get(name);
        return text == null || !joined(name).contentEquals(text);
    }

    private String joined(String name) {
        ByteArrayOutputStream spelled = tokens.get(name);
        return spelled == null ? "" : spelled.toString(StandardCharsets.UTF_8);
    }

    private int append(String name, String text) {
        texts.computeIfAbsent(name, n -> new StringBuilder()).append(text);
        return text.length();
    }

    private int neutral(@Nullable JsonNode value, String at) {
        return value == null || Words.isNeutral(value)
                ? 0
                : add(Words.texts(value, at).toList());
    }

    private int add(List<Part> parts) {
        others.addAll(parts);
        return parts.stream().mapToInt(Words::size).sum();
    }
}
