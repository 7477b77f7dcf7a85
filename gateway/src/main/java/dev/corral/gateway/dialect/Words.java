package dev.corral.gateway.dialect;

import dev.corral.guardmodels.conversation.Part;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/** The text inside JSON values: where there is some, how much, and which characters it really has. */
public final class Words {

    /** So many characters of settings, identifiers and the like are let pass unjudged. */
    public static final int NEUTRAL_CHARACTERS = 256;

    private static final Pattern ESCAPE = Pattern.compile("\\\\u([0-9A-Fa-f]{4})");

    private Words() {}

    /** Whether a value of this size may be an identifier or a setting, rather than text that somebody reads. */
    public static boolean isNeutral(JsonNode value) {
        return characters(value, name -> 0) <= NEUTRAL_CHARACTERS;
    }

    /** The same where the names of fields come from outside, too. */
    public static boolean isNeutralWithNames(JsonNode value) {
        return characters(value, String::length) <= NEUTRAL_CHARACTERS;
    }

    /**
     * Whether a value of this size is a choice, an identifier or several of them: names and words, none of which follows
     * another, so that they say nothing.
     */
    public static boolean isSetting(JsonNode value) {
        return isNeutralWithNames(value) && words(value).noneMatch(Words::hasBlank);
    }

    /** Whether a value has no text at all, nor anything that text could be made from. */
    public static boolean isTextless(JsonNode value) {
        return value.isBoolean()
                || value.isNumber()
                || (value.isString() && value.stringValue().isEmpty())
                || (value.isContainer() && value.isEmpty());
    }

    /** All texts anywhere in a value, each as a part. */
    public static Stream<Part> texts(JsonNode value, String where) {
        if (value.isString()) {
            return Stream.of(new Part.TextPart(wellFormed(value.stringValue()), where));
        }
        if (value.isObject()) {
            return value.properties().stream()
                    .flatMap(field -> texts(field.getValue(), where + "." + shortened(field.getKey())));
        }
        return value.values().stream().flatMap(item -> texts(item, where));
    }

    /**
     * The texts to judge for a text that is or may be JSON: the text itself, and beside it the same with its escapes
     * resolved where it has any. A tool, and the chat template of many an upstream, reads them resolved.
     */
    public static List<String> resolved(String text) {
        if (!text.contains("\\u")) {
            return List.of(text);
        }
        String resolved = ESCAPE.matcher(text)
                .replaceAll(
                        escape -> Matcher.quoteReplacement(Character.toString(Integer.parseInt(escape.group(1), 16))));
        return resolved.equals(text) ? List.of(text) : List.of(text, wellFormed(resolved));
    }

    /** How much there is to judge in a part: its characters, and one for what has none. */
    public static int size(Part part) {
        return switch (part) {
            case Part.TextPart text -> text.text().length();
            case Part.ToolResultPart result -> result.text().length();
            case Part.ToolDefinitionPart definition -> definition.text().length();
            case Part.ToolCallPart call ->
                call.name().length() + call.arguments().length();
            case Part.ImagePart _ -> 1;
            case Part.OpaquePart _ -> 1;
        };
    }

    /** The text with U+FFFD in place of each half of a pair of surrogates that lacks the other: what a reader is shown. */
    public static String wellFormed(String text) {
        return hasLoneSurrogate(text)
                ? new String(text.getBytes(StandardCharsets.UTF_16BE), StandardCharsets.UTF_16BE)
                : text;
    }

    static boolean hasLoneSurrogate(String text) {
        for (int i = 0; i < text.length(); i++) {
            char unit = text.charAt(i);
            if (Character.isHighSurrogate(unit)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(unit)) {
                return true;
            }
        }
        return false;
    }

    /** What somebody said as parts: a text, or the result of a tool. */
    public static List<Part> said(String text, String where, boolean ofTool) {
        return ofTool
                ? resolved(text).stream()
                        .<Part>map(result -> new Part.ToolResultPart(result, where))
                        .toList()
                : List.of(new Part.TextPart(text, where));
    }

    /** A value as text that somebody reads. */
    public static Part.TextPart rendered(JsonNode value, String where) {
        return new Part.TextPart(value.isString() ? value.stringValue() : StrictJson.render(value), where);
    }

    /** A word from outside, fit for a message. */
    public static String shortened(String word) {
        return word.length() <= 40 ? word : word.substring(0, 40) + "…";
    }

    private static Stream<String> words(JsonNode value) {
        return value.isString()
                ? Stream.of(value.stringValue())
                : Stream.concat(
                        value.properties().stream().map(Map.Entry::getKey),
                        value.values().stream().flatMap(Words::words));
    }

    private static boolean hasBlank(String word) {
        return word.codePoints().anyMatch(Character::isWhitespace);
    }

    private static long characters(JsonNode value, ToLongFunction<String> ofName) {
        if (value.isString()) {
            return value.stringValue().length();
        }
        if (value.isObject()) {
            return value.properties().stream()
                    .mapToLong(field -> ofName.applyAsLong(field.getKey()) + characters(field.getValue(), ofName))
                    .sum();
        }
        return value.values().stream()
                .mapToLong(item -> characters(item, ofName))
                .sum();
    }
}
