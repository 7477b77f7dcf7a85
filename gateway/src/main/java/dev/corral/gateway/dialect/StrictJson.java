package dev.corral.gateway.dialect;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.UnexpectedEndOfInputException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads JSON that every other parser reads the same way, and refuses the rest. */
public final class StrictJson {

    /*
     * The guard judges what this class reads; the upstream and the client read the same bytes with parsers of their own.
     * Wherever two parsers may differ, text can be shown to one and hidden from the other. So it is refused:
     *
     * - a field that is there twice (one parser takes the first, another the last);
     * - bytes that are not UTF-8, overlong forms and encoded surrogates included (some replace them, some fail);
     * - a byte order mark, UTF-16 and UTF-32;
     * - text after the end, comments, NaN, unquoted names and all else that is not in RFC 8259.
     *
     * Depth, numbers, names and the count of tokens are bounded, so that a small body cannot become a large tree. The
     * length of a text is not: it is bounded by the body's own limit, and an image may be inside.
     */
    private static final int MAX_DEPTH = 200;

    private static final int MAX_TOKENS = 1_000_000;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxTokenCount(MAX_TOKENS)
                            .maxNumberLength(100)
                            .maxNameLength(1_000)
                            .maxStringLength(Integer.MAX_VALUE)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private StrictJson() {}

    /** Why something is no JSON; the message completes "the body is not valid JSON: …" and never quotes a value. */
    public static final class Malformed extends Exception {

        Malformed(String message) {
            super(message);
        }
    }

    /** The value in these bytes. */
    public static JsonNode parse(byte[] json) throws Malformed {
        return parse(utf8(json));
    }

    /** The value in this text. */
    public static JsonNode parse(String json) throws Malformed {
        if (json.isBlank()) {
            throw new Malformed("it is empty");
        }
        if (json.charAt(0) == '\uFEFF') {
            throw new Malformed("it starts with a byte order mark; leave that out");
        }
        try {
            return MAPPER.readTree(json);
        } catch (JacksonException e) {
            TokenStreamLocation place = e.getLocation();
            throw new Malformed(
                    place == null || place.getLineNr() < 1
                            ? problem(e)
                            : problem(e) + " (line " + place.getLineNr() + ", column " + place.getColumnNr() + ")");
        }
    }

    /**
     * The object that is a request's body, in which every text is one that can be written down.
     *
     * @throws DialectException where it is none
     */
    public static JsonNode request(byte[] body) {
        JsonNode root;
        try {
            root = parse(body);
        } catch (Malformed e) {
            throw DialectException.invalidRequest(null, "the body is not valid JSON: " + e.getMessage());
        }
        if (!root.isObject()) {
            throw DialectException.invalidRequest(null, "the body must be a JSON object, not " + Fields.kind(root));
        }
        refuseLoneSurrogates(root, "");
        return root;
    }

    /**
     * The body of an upstream's answer.
     *
     * @throws DialectException where it cannot be read
     */
    public static JsonNode answer(byte[] body) {
        try {
            return parse(body);
        } catch (Malformed e) {
            throw DialectException.unreadable("it is not valid JSON: " + e.getMessage());
        }
    }

    /**
     * The data of an event in an upstream's stream.
     *
     * @throws DialectException where it cannot be read
     */
    public static JsonNode event(String data) {
        try {
            return parse(data);
        } catch (Malformed e) {
            throw DialectException.unreadable("an event of its stream is not valid JSON: " + e.getMessage());
        }
    }

    /*
     * JSON can escape half of a surrogate pair, which no UTF-8 can hold. Every reader makes something else of it: a
     * question mark, U+FFFD, nothing, an error. The guard and the upstream would see different texts, so it is refused.
     */
    private static void refuseLoneSurrogates(JsonNode value, String where) {
        if (value.isString() && Words.hasLoneSurrogate(value.stringValue())) {
            throw DialectException.invalidRequest(
                    where,
                    "'" + where + "' has half of a surrogate pair (such as \\ud83d without \\ude00), which is no"
                            + " character; send the whole pair, or leave it out");
        }
        value.properties().forEach(field -> {
            if (Words.hasLoneSurrogate(field.getKey())) {
                throw DialectException.invalidRequest(
                        where.isEmpty() ? null : where, "the name of a field has half of a surrogate pair");
            }
            refuseLoneSurrogates(
                    field.getValue(),
                    where.isEmpty() ? Words.shortened(field.getKey()) : where + "." + Words.shortened(field.getKey()));
        });
        if (value.isArray()) {
            for (int i = 0; i < value.size(); i++) {
                refuseLoneSurrogates(value.get(i), where + "[" + i + "]");
            }
        }
    }

    /** The text of these bytes, which must be UTF-8 without any error. */
    public static String utf8(byte[] bytes) throws Malformed {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new Malformed("its bytes are not UTF-8");
        }
    }

    /** A value as compact JSON. */
    public static String render(JsonNode value) {
        return MAPPER.writeValueAsString(value);
    }

    /** A value as bytes of compact JSON. */
    public static byte[] bytes(JsonNode value) {
        return MAPPER.writeValueAsBytes(value);
    }

    private static String problem(JacksonException e) {
        String message = e.getOriginalMessage();
        return switch (e) {
            case UnexpectedEndOfInputException end -> "it ends too early";
            case StreamConstraintsException limit
            when message.contains("nesting depth") -> "it is nested deeper than " + MAX_DEPTH + " levels";
            case StreamConstraintsException limit
            when message.contains("Token count") -> "it has more than " + MAX_TOKENS + " tokens";
            case StreamConstraintsException limit -> "a number or the name of a field is too long";
            default -> {
                if (message.startsWith("Duplicate")) {
                    yield "a field is there twice, and a reader could take either";
                }
                if (message.startsWith("Trailing")) {
                    yield "something follows the end of the value";
                }
                yield "a character or word that does not belong there";
            }
        };
    }
}
