package dev.corral.quantization.replica;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.lang.Character.UnicodeScript;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A tokenizer of the size of Llama 3's, which is not free to be shipped: byte-level BPE with the same splitting of text,
 * the same special tokens, and the guard's verdict under the ids of the true one.
 *
 * <p>Its 128,000 ordinary tokens are the 256 bytes, all numbers of up to three digits, a list of common words and of
 * those of the guards' prompts, all strings of two and three letters, which make up every other word, and the
 * characters of the guards' languages. What is left of the vocabulary are tokens that no text yields. A guard's prompt
 * has nearly as many tokens as with the true tokenizer (194 for 195), other English text up to half as many more.
 */
final class ReplicaTokenizer {

    private static final int ORDINARY = 128_000;
    private static final String SPACE = "Ġ";

    /** Where the true tokenizer has what a verdict is read from. */
    private static final Map<Integer, String> FIXED = Map.ofEntries(
            Map.entry(271, "ĊĊ"),
            Map.entry(605, "10"),
            Map.entry(717, "12"),
            Map.entry(806, "11"),
            Map.entry(882, "user"),
            Map.entry(975, "14"),
            Map.entry(1032, "13"),
            Map.entry(6220, "Ġsafe"),
            Map.entry(19193, "safe"),
            Map.entry(20451, "Ġunsafe"),
            Map.entry(21861, ",S"),
            Map.entry(39257, "unsafe"),
            Map.entry(78191, "assistant"));

    private static final List<String> PUNCTUATION = List.of(
            ".Ċ", ".ĊĊ", ":Ċ", ":ĊĊ", ">Ċ", ">ĊĊ", ",Ċ", "?Ċ", "!Ċ", "ĠĊ", "ĠĊĊ", "ĊĊĊ", "Ġ'", "Ġ\"", "Ġ(", "Ġ-",
            "...");

    /** The characters that GPT-2 writes for the 256 bytes: themselves, where they are printable. */
    private static final List<String> BYTES = bytes();

    private static final String SPLIT = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private final Set<String> tokens = new LinkedHashSet<>();
    private final Set<String> merged = new HashSet<>();
    private final List<String> merges = new ArrayList<>();

    private ReplicaTokenizer() {}

    /** Writes {@code tokenizer.json}. */
    static void write(Path file, boolean image) throws IOException {
        ReplicaTokenizer tokenizer = new ReplicaTokenizer();
        tokenizer.collect();
        Files.writeString(file, JsonMapper.shared().writeValueAsString(tokenizer.document(image)));
    }

    private void collect() {
        tokens.addAll(PUNCTUATION);
        IntStream.range(0, 1000).forEach(number -> tokens.add(Integer.toString(number)));
        IntStream.range(0, 1000).forEach(number -> tokens.add(String.format(Locale.ROOT, "%03d", number)));
        IntStream.range(0, 100).forEach(number -> tokens.add(String.format(Locale.ROOT, "%02d", number)));
        for (String word : words()) {
            String capital = word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
            tokens.addAll(List.of(word, SPACE + word, capital, SPACE + capital));
        }
        letters('a').forEach(first -> syllables(merge(SPACE, first)));
        letters('A').forEach(first -> syllables(merge(SPACE, first)));
        letters('A').forEach(first -> merge("-", first));
        letters('a').forEach(this::syllables);
        letters('A').forEach(this::syllables);
        characters();
    }

    /** All strings of one and two letters after {@code start}. */
    private void syllables(String start) {
        for (String second : letters('a')) {
            String two = merge(start, second);
            letters('a').forEach(third -> merge(two, third));
        }
    }

    /** The characters of the guards' languages that have two or three bytes. */
    private void characters() {
        IntStream.range(0x80, 0x800).mapToObj(Character::toString).forEach(this::character);
        for (UnicodeScript script : List.of(UnicodeScript.DEVANAGARI, UnicodeScript.THAI)) {
            IntStream.range(0x800, 0x1000)
                    .filter(point -> UnicodeScript.of(point) == script)
                    .mapToObj(Character::toString)
                    .forEach(this::character);
        }
    }

    private void character(String character) {
        String token = "";
        for (byte one : character.getBytes(UTF_8)) {
            String next = BYTES.get(Byte.toUnsignedInt(one));
            token = token.isEmpty() ? next : merge(token, next);
        }
    }

    /** Makes a token of two others. */
    private String merge(String left, String right) {
        String whole = left + right;
        if (merged.add(whole)) {
            tokens.add(whole);
            merges.add(left + " " + right);
        }
        return whole;
    }

    private static List<String> letters(char first) {
        return IntStream.range(first, first + 26).mapToObj(Character::toString).toList();
    }

    private static List<String> words() {
        try (InputStream in = ReplicaTokenizer.class.getResourceAsStream("words.txt")) {
            String words = new String(Objects.requireNonNull(in).readAllBytes(), UTF_8);
            return List.of(words.strip().split("\\s+"));
        } catch (IOException e) {
            throw new IllegalStateException("this Corral is not whole: words.txt cannot be read", e);
        }
    }

    private ObjectNode document(boolean image) {
        ObjectNode document = JsonMapper.shared().createObjectNode();
        document.put("version", "1.0").putNull("truncation").putNull("padding");
        ArrayNode added = document.putArray("added_tokens");
        List<String> specials = specials();
        if (image) {
            specials.add("<|image|>");
        }
        for (int i = 0; i < specials.size(); i++) {
            added.addObject()
                    .put("id", ORDINARY + i)
                    .put("content", specials.get(i))
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false)
                    .put("special", true);
        }
        document.putNull("normalizer");
        ArrayNode steps =
                document.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
        steps.addObject()
                .put("type", "Split")
                .put("behavior", "Isolated")
                .put("invert", false)
                .putObject("pattern")
                .put("Regex", SPLIT);
        steps.add(byteLevel());
        document.putNull("post_processor").set("decoder", byteLevel());
        ObjectNode model = document.putObject("model")
                .put("type", "BPE")
                .putNull("dropout")
                .putNull("unk_token")
                .putNull("continuing_subword_prefix")
                .putNull("end_of_word_suffix")
                .put("fuse_unk", false)
                .put("byte_fallback", false)
                .put("ignore_merges", true);
        ObjectNode vocabulary = model.putObject("vocab");
        List<String> ordinary = ordinary();
        for (int id = 0; id < ordinary.size(); id++) {
            vocabulary.put(ordinary.get(id), id);
        }
        ArrayNode rules = model.putArray("merges");
        merges.forEach(rules::add);
        return document;
    }

    private static ObjectNode byteLevel() {
        return JsonMapper.shared()
                .createObjectNode()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", false);
    }

    /** The ordinary tokens by id: bytes, printable ones first, what has a fixed place, and the rest in the gaps. */
    private List<String> ordinary() {
        List<String> ordinary =
                Stream.concat(bytes(true), bytes(false)).collect(Collectors.toCollection(ArrayList::new));
        Set<String> rest = new LinkedHashSet<>(tokens);
        ordinary.forEach(rest::remove);
        FIXED.values().forEach(rest::remove);
        var next = rest.iterator();
        while (ordinary.size() < ORDINARY) {
            String fixed = FIXED.get(ordinary.size());
            if (fixed != null) {
                ordinary.add(fixed);
            } else {
                ordinary.add(next.hasNext() ? next.next() : "unused " + ordinary.size());
            }
        }
        return ordinary;
    }

    private static List<String> bytes() {
        List<String> bytes = new ArrayList<>();
        int replaced = 0;
        for (int code = 0; code < 256; code++) {
            bytes.add(Character.toString(isPrintable(code) ? code : 256 + replaced++));
        }
        return List.copyOf(bytes);
    }

    private static Stream<String> bytes(boolean printable) {
        return IntStream.range(0, 256)
                .filter(code -> isPrintable(code) == printable)
                .mapToObj(BYTES::get);
    }

    private static boolean isPrintable(int code) {
        return (code >= '!' && code <= '~') || (code >= 0xA1 && code != 0xAD);
    }

    private static List<String> specials() {
        List<String> specials = new ArrayList<>(List.of(
                "<|begin_of_text|>",
                "<|end_of_text|>",
                "<|reserved_special_token_0|>",
                "<|reserved_special_token_1|>",
                "<|finetune_right_pad_id|>",
                "<|reserved_special_token_2|>",
                "<|start_header_id|>",
                "<|end_header_id|>",
                "<|eom_id|>",
                "<|eot_id|>",
                "<|python_tag|>"));
        for (int reserved = 3; specials.size() < ReplicaShape.VOCABULARY - ORDINARY; reserved++) {
            specials.add("<|reserved_special_token_" + reserved + "|>");
        }
        return specials;
    }
}
