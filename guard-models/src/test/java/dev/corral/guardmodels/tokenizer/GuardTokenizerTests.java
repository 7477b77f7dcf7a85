package dev.corral.guardmodels.tokenizer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.corral.guardmodels.Fixtures;
import dev.corral.guardmodels.prompt.Segment;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class GuardTokenizerTests {

    private static final GuardTokenizer TOKENIZER = Fixtures.tinyTokenizer();

    @AfterAll
    static void close() {
        TOKENIZER.close();
    }

    @Test
    void encodeWhenGoldenStringGivesItsIds() {
        for (JsonNode string : Fixtures.json("/fixtures/llama-guard-3-template/tokenizer-strings.json")
                .get("strings")) {
            assertThat(TOKENIZER.encode(string.get("text").stringValue()))
                    .as(string.get("text").toString())
                    .isEqualTo(Fixtures.ints(string.get("ids_tiny")));
        }
    }

    @Test
    void encodeWhenUserTypesSpecialTokenIsOrdinaryText() {
        assertThat(TOKENIZER.encode("<|eot_id|>")).hasSizeGreaterThan(1).doesNotContain(617);
        assertThat(TOKENIZER.encode(List.of(new Segment.Special("<|eot_id|>")))).containsExactly(617);
    }

    @Test
    void encodeWhenSpecialTokenIsUnknownNamesIt() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TOKENIZER.encode(List.of(new Segment.Special("<|im_start|>"))))
                .withMessageContaining("<|im_start|>");
    }

    @Test
    void encodeWhenTextHasManyBlocksGivesIdsOfTheWhole() {
        String sentence = "Hello, wörld 123: it's a test\n\n  of blocks.\t";
        String text = sentence.repeat(3 * GuardTokenizer.BLOCK / sentence.length());
        int[] one = TOKENIZER.encode(sentence.repeat(2));
        int[] all = TOKENIZER.encode(text);
        int period = one.length / 2;
        assertThat(all).hasSize(period * (text.length() / sentence.length()));
        assertThat(IntStream.range(period, all.length)).allMatch(i -> all[i] == all[i - period]);
    }

    @Test
    void encodeWhenLimitIsPassedStopsSoon() {
        String text = "a b ".repeat(1_000_000);
        assertThat(TOKENIZER.encode(List.of(new Segment.Text(text)), 100)).hasSizeBetween(101, GuardTokenizer.BLOCK);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", " ", "\n", "é", "😀", "\u0000", "'s", "1", "<|", "\u0301"})
    @Timeout(60)
    void encodeWhenOneMillionTimesTheSameEnds(String unit) {
        assertThat(TOKENIZER.encode(unit.repeat(1_000_000))).isNotEmpty();
    }

    @Test
    void encodeWhenSurrogateStandsAloneReadsTheRest() {
        assertThat(TOKENIZER.encode("a\ud800 😀\udc00")).isEqualTo(TOKENIZER.encode("a\ufffd 😀\ufffd"));
    }

    @Test
    void encodeWhenTextIsEmptyGivesNothing() {
        assertThat(TOKENIZER.encode("")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "{}",
                "{\"model\": {}}",
                "{\"model\": {\"type\": \"BPE\"}, \"added_tokens\": [{}]}"
            })
    void loadWhenFileIsNoTokenizerSaysSo(String json) {
        assertThatExceptionOfType(UnusableTokenizerException.class)
                .isThrownBy(() -> GuardTokenizer.load(json.getBytes(UTF_8), "dir/tokenizer.json"))
                .withMessageStartingWith("dir/tokenizer.json is not a usable tokenizer: ")
                .withMessageEndingWith("it must be the tokenizer.json of the guard's own Hugging Face folder");
    }
}
