package dev.corral.policies.pattern;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.re2j.Pattern;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ShapeTests {

    /** Lengths; {@code -} has no limit. Characters by their numbers, 128 for all beyond ASCII; none where none is needed. */
    @ParameterizedTest
    @CsvSource(
            delimiterString = " => ",
            quoteCharacter = '`',
            value = {
                // literals, and which of several is the rarest in ordinary text
                "abc => 3 3 {97}",
                "aX => 2 2 {88}",
                "Xa => 2 2 {88}",
                "` x` => 2 2 {120}",
                "`é ` => 2 2 {128}",
                "éa => 2 2 {97}",
                "z{2} => 2 2 {122}",
                "[a-c]z => 2 2 {122}",
                // alternatives and repetitions
                "a|b => 1 1 {97, 98}",
                "a|bcd => 1 3 {97, 98}",
                "a|b? => 0 1 none",
                "b?|a => 0 1 none",
                "ab? => 1 2 {97}",
                "b?a => 1 2 {97}",
                "a? => 0 1 none",
                "a* => 0 - none",
                "a+ => 1 - {97}",
                "a+b => 2 - {97}",
                "ba+ => 2 - {98}",
                "a+? => 1 - {97}",
                "a{2,3}? => 2 3 {97}",
                "a?? => 0 1 none",
                "a{3} => 3 3 {97}",
                "a{2,5} => 2 5 {97}",
                "a{2,} => 2 - {97}",
                "a{0,2} => 0 2 none",
                "(ab){2}c? => 4 5 {97}",
                "(a*){2} => 0 - none",
                "(a*){0} => 0 0 none",
                "(^)* => 0 0 none",
                "a{,2} => 5 5 {123}",
                "x{ => 2 2 {123}",
                // places
                "^a$ => 1 1 {97}",
                "\\ba\\B => 1 1 {97}",
                "\\Aa\\z => 1 1 {97}",
                // groups and flags
                "(?P<n>ab) => 2 2 {97}",
                "(?<n>ab) => 2 2 {97}",
                "(?:a|b)c => 2 2 {99}",
                "(?i:x)|k => 1 1 {88, 107, 120}",
                "((?i)x)|k => 1 1 {88, 107, 120}",
                "(?i)y|k => 1 1 {75, 89, 107, 121, 128}",
                "(?i)x(?-i:k) => 2 2 {107}",
                "(?i)(?-i)x => 1 1 {120}",
                "(?si)x => 1 1 {88, 120}",
                "(?s-i)x => 1 1 {120}",
                "(?i)1 => 1 1 {49}",
                "(?i)S => 1 1 {83, 115, 128}",
                "(?i)[k] => 1 2 {75, 107, 128}",
                // escapes
                "\\Qa.b\\E => 3 3 {46}",
                "\\Qa.b\\Ec => 4 4 {46}",
                "\\Qa.b => 3 3 {46}",
                "\\. => 1 1 {46}",
                "\\x41 => 1 1 {65}",
                "\\x41B => 2 2 {65}",
                "\\x{1F600} => 2 2 {128}",
                "\\x{41}2 => 2 2 {65}",
                "\\101 => 1 1 {65}",
                "\\1012 => 2 2 {65}",
                "\\07 => 1 1 {7}",
                "\\0a => 2 2 {0}",
                "\\a => 1 1 {7}",
                "\\f => 1 1 {12}",
                "\\n => 1 1 {10}",
                "\\r => 1 1 {13}",
                "\\t => 1 1 {9}",
                "\\v => 1 1 {11}",
                "\\d => 1 1 {48, 49, 50, 51, 52, 53, 54, 55, 56, 57}",
                "\\s => 1 1 {9, 10, 12, 13, 32}",
                "\\C => 0 - none",
                // sets
                "[a-c] => 1 1 {97, 98, 99}",
                "[a-] => 1 1 {45, 97}",
                "[]a] => 1 1 {93, 97}",
                "[a\\-b] => 1 1 {45, 97, 98}",
                "[\\x41-C] => 1 1 {65, 66, 67}",
                "[A-\\x43] => 1 1 {65, 66, 67}",
                "[\\da] => 1 1 {48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97}",
                "[~-é] => 1 1 {126, 127, 128}",
                "[\\x{1F600}] => 1 2 {128}",
                "[^ -~\\x00-\\x1f] => 1 2 {127, 128}",
                "[^\\S] => 1 2 {9, 10, 12, 13, 32, 128}",
                "[^\\Wa-zA-Z_] => 1 2 {48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 128}"
            })
    void ofWhenExpressionIsReadTellsWhatMatchesAreLike(String expression, String expected) {
        Shape shape = Shape.of(expression);

        assertThat(shape.shortest() + " " + (shape.longest() == Shape.ENDLESS ? "-" : shape.longest()) + " "
                        + shape.needed().map(Object::toString).orElse("none"))
                .isEqualTo(expected);
    }

    /** Of so many kinds of characters, all that lie beyond ASCII counted as one. */
    @ParameterizedTest
    @CsvSource({
        "., 129, 2",
        "\\pL, 129, 2",
        "\\p{Greek}, 129, 2",
        "\\w, 63, 1",
        "\\W, 66, 2",
        "\\D, 119, 2",
        "\\S, 124, 2",
        "[[:alpha:]], 129, 1",
        "[^x], 128, 2",
        "(?i)é, 129, 1",
        "(?i)[é], 129, 2",
        "[\\pL], 129, 2"
    })
    void ofWhenManyCharactersFitCountsThem(String expression, int characters, int longest) {
        Shape shape = Shape.of(expression);

        assertThat(shape.needed().orElseThrow().cardinality()).isEqualTo(characters);
        assertThat(shape.longest()).isEqualTo(longest);
    }

    @ParameterizedTest
    @CsvSource({
        "abc, 3",
        "a|b, 3",
        "a+, 2",
        "a*, 1",
        "a?, 1",
        "a{1000}, 1000",
        "'a{2,5}', 5",
        "'a{2,}', 3",
        "(a{10}){10}, 100",
        "'(a|b){3,}', 12",
        "(((a{1000}){1000}){1000}){1000}, 2147483647"
    })
    void ofWhenPartsAreRepeatedCountsTheStepsOfTheMachine(String expression, long size) {
        assertThat(Shape.of(expression).size()).isEqualTo(size);
    }

    @ParameterizedTest
    @CsvSource({
        "(a|b)c, ac bc",
        "[0-9]x, 0x 1x",
        "'[!0]', 0 !",
        "'[^ -\\x7f]', é",
        "'a{2,5}', aa aaa",
        "a{3}, aaa",
        "a|b|c|d|e|f|g, a b c d e f",
        "\\d(a|b|c), 0a 1b 0c"
    })
    void ofWhenExpressionIsReadHasExamplesOfIt(String expression, String examples) {
        assertThat(Shape.of(expression).examples()).containsExactlyElementsOf(List.of(examples.split(" ")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a{100}", "(ab){65,70}"})
    void ofWhenExamplesWouldBeLongCutsThem(String expression) {
        assertThat(Shape.of(expression).examples())
                .allSatisfy(example -> assertThat(example.length()).isLessThanOrEqualTo(2 * 64));
    }

    /** What is said about the lengths of matches holds for real ones. */
    @ParameterizedTest
    @ValueSource(strings = {"(?:ab|c)d?", "[a-c]{2,3}x", "\\d{1,3}", "(?i)ab", "[^x]y", "\\Qa.b\\E"})
    void ofWhenExamplesMatchTheirLengthsAreAsSaid(String expression) {
        Shape shape = Shape.of(expression);

        assertThat(shape.examples()).isNotEmpty().allSatisfy(example -> {
            assertThat(Pattern.compile(expression).matches(example)).isTrue();
            assertThat((long) example.length()).isBetween(shape.shortest(), shape.longest());
        });
    }
}
