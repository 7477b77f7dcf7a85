package dev.corral.policies.pattern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextPatternTests {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "4111111111111111",
                "4111 1111 1111 1111",
                "4111-1111-1111-1111",
                "4111\u00A01111\u00A01111\u00A01111",
                "5555555555554444",
                "378282246310005",
                "3782 822463 10005",
                "6011000990139424",
                "4222222222222",
                "6304900000000000001"
            })
    void findWhenNumberIsACardFindsAllOfIt(String card) {
        String text = "pay 12 with " + card + ", please";

        assertThat(found(new CardPattern(), text)).containsExactly(card);
        assertThat(found(new CardPattern(), card)).containsExactly(card);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "4111111111111112",
                "0000000000000000",
                "1111111111111117",
                "41111111111111111",
                "4111  1111 1111 1111",
                "4111,1111,1111,1111",
                "411111111111"
            })
    void findWhenNumberIsNoCardFindsNothing(String number) {
        assertThat(new CardPattern().find("pay with " + number + " now")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DE89370400440532013000",
                "DE89 3704 0044 0532 0130 00",
                "de89370400440532013000",
                "GB82 WEST 1234 5698 7654 32",
                "FR1420041010050500013M02606",
                "NO9386011117947",
                "MT84MALT011000012345MTLCAST001S"
            })
    void findWhenNumberIsAnIbanFindsAllOfIt(String iban) {
        assertThat(found(new IbanPattern(), "to " + iban + ".")).containsExactly(iban);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DE88370400440532013000",
                "DE8937040044053201300",
                "DE893704004405320130000",
                "XX89370400440532013000",
                "ADE89370400440532013000"
            })
    void findWhenNumberIsNoIbanFindsNothing(String number) {
        assertThat(new IbanPattern().find("to " + number + ".")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "Project FALCON is late,FALCON",
        "falcon,falcon",
        "a (Raven Nine) flies,Raven Nine",
        "a Raven Ninety flies,Raven",
        "falconry,",
        "#falcon!,falcon",
        "Falcon9 is a rocket,",
        "我们的鷹很好,鷹",
        "über Ärger,Ärger",
        "it is c++ here,c++"
    })
    void findWhenKeywordStandsAsAWordFindsIt(String text, String found) {
        KeywordPattern pattern = new KeywordPattern(List.of("falcon", "raven", "raven nine", "鷹", "ärger", "c++"));

        assertThat(found(pattern, text)).isEqualTo(found == null ? List.of() : List.of(found));
    }

    @Test
    void newWhenKeywordIsBlankThrows() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new KeywordPattern(List.of(" ")))
                .withMessage("a keyword must not be blank");
    }

    @ParameterizedTest
    @CsvSource({
        "'\\bE[0-9]{6}\\b',8",
        "'a{2,5}|bb',6",
        "'(?i)k',2",
        "'.',3",
        "'a+',",
        "'a+?',",
        "'a{2,3}?',4",
        "'(ab?){3}',7",
        "'[^x]',3",
        "'\\Qa.b\\E',4"
    })
    void longestWhenExpressionIsReadCountsWhatItMayTakeAndOneMore(String expression, Integer longest)
            throws ExpressionPattern.Malformed {
        assertThat(ExpressionPattern.of(expression).longest().stream().boxed())
                .isEqualTo(longest == null ? List.of() : List.of(longest));
    }

    @Test
    void ofWhenExpressionWouldExplodeThrowsBeforeItDoes() {
        assertThatExceptionOfType(ExpressionPattern.Malformed.class)
                .isThrownBy(() -> ExpressionPattern.of("((a{1000}){1000}){1000}"))
                .withMessageStartingWith("it repeats its parts too often");
    }

    /** What takes a backtracking engine longer than the universe is old is over at once. */
    @Test
    void findWhenExpressionIsCatastrophicElsewhereEnds() throws ExpressionPattern.Malformed {
        assertThat(ExpressionPattern.of("(a+)+b").find("a".repeat(20_000))).isEmpty();
        assertThat(ExpressionPattern.of("(?:a|aa)+c").find("a".repeat(20_000) + "b"))
                .isEmpty();
    }

    @Test
    void ofWhenSpansOverlapMakesOne() {
        Redaction redaction = Redaction.of(List.of(
                new Redaction.Replacement(new Span(4, 9), "B"),
                new Redaction.Replacement(new Span(0, 5), "A"),
                new Redaction.Replacement(new Span(9, 10), "C")));

        assertThat(redaction.apply("0123456789ab")).isEqualTo("ACab");
        assertThat(redaction.outside(6)).isZero();
        assertThat(redaction.outside(9)).isEqualTo(9);
    }

    private static List<String> found(TextPattern pattern, String text) {
        return pattern.find(text).stream()
                .map(span -> text.substring(span.start(), span.end()))
                .toList();
    }
}
