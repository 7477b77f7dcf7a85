package dev.corral.guardmodels.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.corral.guardmodels.prompt.Segment;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/**
 * Turns prompts into token ids. Safe for use by many threads.
 *
 * <p>A Hugging Face {@code tokenizer.json} splits its special tokens out of any text, so {@code <|eot_id|>} typed by a
 * user would end the user's turn and let the rest of the message speak for the template. Here the special tokens are
 * taken out before the tokenizer is loaded: to it they are words like any others, and their ids are put in by hand where
 * a template says so and nowhere else. The post processor goes too, since templates write the first token themselves.
 *
 * <p>A text is tokenised in blocks, so that neither the memory for its tokens' details nor the time until a limit is
 * noticed grows with what a client sends. Blocks end between a letter and a space, where no token of the supported
 * tokenizers crosses: the ids are those of the whole. Only a text that has no such place for a whole block is cut
 * anywhere.
 */
public final class GuardTokenizer implements AutoCloseable {

    /** UTF-16 units that are tokenised at once. */
    static final int BLOCK = 32_768;

    private static final ObjectMapper JSON = new JsonMapper();

    static {
        // the native library lies in the jar: nothing may be fetched, nobody called
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
    }

    /** UTF-16 units of templates whose tokens are remembered. */
    private static final int FIXED_CHARACTERS = 1 << 20;

    private final Cache<String, int[]> fixed = Caffeine.newBuilder()
            .maximumWeight(FIXED_CHARACTERS)
            .weigher((String text, int[] _) -> text.length())
            .executor(Runnable::run)
            .build();

    private final HuggingFaceTokenizer words;
    private final Map<String, Integer> specials;

    private GuardTokenizer(HuggingFaceTokenizer words, Map<String, Integer> specials) {
        this.words = words;
        this.specials = Map.copyOf(specials);
    }

    /**
     * Loads a tokenizer.
     *
     * @param tokenizerJson a Hugging Face {@code tokenizer.json}
     * @param origin its name for messages, such as the file's path
     * @throws UnusableTokenizerException if it is not one
     */
    public static GuardTokenizer load(byte[] tokenizerJson, String origin) {
        Stripped stripped;
        try {
            stripped = strip(tokenizerJson, origin);
        } catch (JacksonException e) {
            throw unusable(origin, "it is not valid JSON: " + e.getOriginalMessage(), e);
        }
        Map<String, String> options = Map.of("addSpecialTokens", "false", "truncation", "false", "padding", "false");
        try {
            return new GuardTokenizer(
                    HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(stripped.json), options),
                    stripped.specials);
        } catch (IOException | RuntimeException e) {
            throw unusable(origin, "the tokenizers library refuses it: " + e.getMessage(), e);
        }
    }

    /** A tokenizer without special tokens, and these. */
    private static final class Stripped {

        private final byte[] json;
        private final Map<String, Integer> specials;

        Stripped(byte[] json, Map<String, Integer> specials) {
            this.json = json;
            this.specials = specials;
        }
    }

    /** Token by token: as a tree, a large vocabulary takes ten times the memory of its file. */
    private static Stripped strip(byte[] tokenizerJson, String origin) {
        Map<String, Integer> specials = new HashMap<>();
        boolean hasModel = false;
        ByteArrayOutputStream out = new ByteArrayOutputStream(tokenizerJson.length);
        try (JsonParser in = JSON.createParser(tokenizerJson);
                JsonGenerator stripped = JSON.createGenerator(out)) {
            if (in.nextToken() != JsonToken.START_OBJECT) {
                throw unusable(origin, "it has no 'model'", null);
            }
            stripped.writeStartObject();
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String name = in.currentName();
                JsonToken value = in.nextToken();
                switch (name) {
                    case "added_tokens" -> specials.putAll(specials(in.readValueAsTree(), origin));
                    case "post_processor", "truncation", "padding" -> in.skipChildren();
                    default -> {
                        hasModel |= name.equals("model") && value == JsonToken.START_OBJECT;
                        stripped.writeName(name);
                        stripped.copyCurrentStructure(in);
                    }
                }
            }
            stripped.writeArrayPropertyStart("added_tokens").writeEndArray();
            for (String without : List.of("post_processor", "truncation", "padding")) {
                stripped.writeNullProperty(without);
            }
            stripped.writeEndObject();
        }
        if (!hasModel) {
            throw unusable(origin, "it has no 'model'", null);
        }
        return new Stripped(out.toByteArray(), specials);
    }

    private static Map<String, Integer> specials(JsonNode addedTokens, String origin) {
        Map<String, Integer> specials = new HashMap<>();
        for (JsonNode added : addedTokens) {
            if (!added.path("content").isString() || !added.path("id").isIntegralNumber()) {
                throw unusable(origin, "an entry of 'added_tokens' has no 'content' or 'id'", null);
            }
            specials.put(added.path("content").stringValue(), added.path("id").intValue());
        }
        return specials;
    }

    private static UnusableTokenizerException unusable(String origin, String why, @Nullable Throwable cause) {
        return new UnusableTokenizerException(
                origin + " is not a usable tokenizer: " + why
                        + "; it must be the tokenizer.json of the guard's own Hugging Face folder",
                cause);
    }

    /** What a token that is not special says. */
    public String text(int token) {
        return words.decode(new long[] {token});
    }

    /** The token ids of a prompt, as many as there are. */
    public int[] encode(List<Segment> segments) {
        return encode(segments, Integer.MAX_VALUE);
    }

    /**
     * The token ids of a prompt, given up soon after there are more than {@code limit} of them: a result that is longer
     * than the limit says only that the prompt is.
     *
     * @throws IllegalArgumentException for a special token that this tokenizer lacks
     */
    public int[] encode(List<Segment> segments, int limit) {
        TokenList tokens = new TokenList();
        for (Segment segment : segments) {
            switch (segment) {
                case Segment.Special special -> tokens.add(id(special));
                case Segment.Fixed text -> tokens.add(fixed.get(text.text(), this::encode));
                case Segment.Text text -> encode(text.text(), tokens, limit);
            }
        }
        return tokens.toArray();
    }

    /** The token ids of ordinary text. */
    public int[] encode(String text) {
        return encode(List.of(new Segment.Text(text)));
    }

    private int id(Segment.Special special) {
        Integer id = specials.get(special.token());
        if (id == null) {
            throw new IllegalArgumentException("the tokenizer has no special token " + special.token()
                    + "; take the tokenizer.json of the guard itself");
        }
        return id;
    }

    private void encode(String text, TokenList tokens, int limit) {
        int start = 0;
        while (start < text.length() && tokens.size <= limit) {
            int end = blockEnd(text, start);
            String block = wellFormed(text.substring(start, end));
            tokens.add(ids(block));
            start = end;
        }
    }

    /** What {@link HuggingFaceTokenizer#encode} gives, without a string and a span for each token. */
    private long[] ids(String block) {
        long encoding = TokenizersLibrary.LIB.encode(words.getHandle(), block, false);
        try {
            return TokenizersLibrary.LIB.getTokenIds(encoding);
        } finally {
            TokenizersLibrary.LIB.deleteEncoding(encoding);
        }
    }

    /** The end of the block that begins at {@code start}. */
    private static int blockEnd(String text, int start) {
        int most = start + BLOCK;
        if (most >= text.length()) {
            return text.length();
        }
        for (int end = most; end > start + 1; end--) {
            if (text.charAt(end) == ' ' && Character.isLetter(text.codePointBefore(end))) {
                return end;
            }
        }
        return Character.isLowSurrogate(text.charAt(most)) ? most - 1 : most;
    }

    /**
     * The text with U+FFFD for surrogates without a partner. One of them would keep the native library from reading any
     * character beyond U+FFFF, and so hide text that is written in such.
     */
    private static String wellFormed(String text) {
        boolean broken = text.codePoints().anyMatch(GuardTokenizer::isSurrogate);
        if (!broken) {
            return text;
        }
        int[] points = text.codePoints()
                .map(point -> isSurrogate(point) ? 0xFFFD : point)
                .toArray();
        return new String(points, 0, points.length);
    }

    private static boolean isSurrogate(int point) {
        return point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE;
    }

    @Override
    public void close() {
        words.close();
    }

    /** A growing array. */
    private static final class TokenList {

        private int[] ids = new int[256];
        private int size;

        private void add(int id) {
            if (size == ids.length) {
                ids = Arrays.copyOf(ids, 2 * size);
            }
            ids[size++] = id;
        }

        private void add(int[] more) {
            for (int id : more) {
                add(id);
            }
        }

        private void add(long[] more) {
            for (long id : more) {
                add(Math.toIntExact(id));
            }
        }

        private int[] toArray() {
            return Arrays.copyOf(ids, size);
        }
    }
}
