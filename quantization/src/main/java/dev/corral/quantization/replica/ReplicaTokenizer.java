package dev.corral.quantization.replica;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.quantization.tokenizer.ByteAlphabet;
import dev.corral.quantization.tokenizer.Llama3Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.lang.Character.UnicodeScript;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
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

    private static final int ORDINARY = ReplicaShape.VOCABULARY - Llama3Tokenizer.SPECIALS;
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

    private final Set<String> tokens = new LinkedHashSet<>();
    private final Set<String> merged = new HashSet<>();
    private final List<String> merges = new ArrayList<>();

    private ReplicaTokenizer() {}

    /**
     * Writes {@code tokenizer.json}.
     *
     * @param image whether it is for a model that sees images
     */
    static void write(Path file, boolean image) throws IOException {
        ReplicaTokenizer tokenizer = new ReplicaTokenizer();
        tokenizer.collect();
        Files.writeString(file, new Llama3Tokenizer(tokenizer.ordinary(), tokenizer.merges, image).toJson());
    }

    /** Writes the ordinary tokens as Meta's {@code tokenizer.model} has them: bytes in base64, and their rank. */
    static void writeRanks(Path file) throws IOException {
        ReplicaTokenizer tokenizer = new ReplicaTokenizer();
        tokenizer.collect();
        List<String> ordinary = tokenizer.ordinary();
        try (Writer out = Files.newBufferedWriter(file)) {
            for (int rank = 0; rank < ordinary.size(); rank++) {
                byte[] bytes = ByteAlphabet.bytes(ordinary.get(rank).replace(" ", SPACE));
                out.write(Base64.getEncoder().encodeToString(bytes) + " " + rank + "\n");
            }
        }
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
            String next = ByteAlphabet.CHARACTERS.get(Byte.toUnsignedInt(one));
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

    private static Stream<String> bytes(boolean printable) {
        return IntStream.range(0, 256)
                .filter(code -> ByteAlphabet.isPrintable(code) == printable)
                .mapToObj(ByteAlphabet.CHARACTERS::get);
    }
}
