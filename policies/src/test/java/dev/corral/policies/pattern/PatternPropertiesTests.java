package dev.corral.policies.pattern;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import dev.corral.policies.pattern.Redaction.Replacement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class PatternPropertiesTests {

    private static final int CASES = Integer.getInteger("laws.cases", 1_000);
    private static final List<String> EXPRESSIONS = List.of(
            "\\bE[0-9]{6}\\b",
            "[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,60}\\.[A-Za-z]{2,10}",
            "(?i)FALCON(?: nine)?",
            "(?:\\d[ -]?){12,18}\\d",
            "\\B11+\\b",
            "(?m)^x.{0,3}$",
            ".é",
            "[^0-9 ]{3,5}",
            "\\pL{2}|鷹",
            "(a|b|x)+?\\.",
            "x{2,}",
            "\\x{1F600}.?");

    @Test
    void findWhenExpressionIsSearchedInPartsFindsWhatTheWholeSearchFinds() {
        int found = 0;
        for (String expression : EXPRESSIONS) {
            TextPattern pattern = expression(expression);
            for (int seed = 0; seed < CASES / 4; seed++) {
                String text = new RandomTexts(seed).text();
                List<Span> expected = new ArrayList<>();
                Matcher matcher = Pattern.compile(expression).matcher(text);
                while (matcher.find()) {
                    expected.add(new Span(matcher.start(), matcher.end()));
                }

                assertThat(pattern.find(text))
                        .as("%s in '%s'", expression, text)
                        .isEqualTo(expected);
                found += expected.size();
            }
        }
        assertThat(found).isGreaterThan(CASES / 2);
    }

    @Test
    void findWhenMatchesAreFoundNoneIsLongerThanSaid() {
        for (TextPattern pattern : patterns()) {
            int longest = pattern.longest().orElse(Integer.MAX_VALUE);
            for (int seed = 0; seed < CASES; seed++) {
                assertThat(pattern.find(new RandomTexts(seed).text()))
                        .allSatisfy(
                                span -> assertThat(span.end() - span.start()).isLessThan(longest));
            }
        }
    }

    @Test
    void applyWhenSpansAreRedactedLeavesEveryOtherCharacterAndNoneOfThem() {
        int redacted = 0;
        for (int seed = 0; seed < CASES; seed++) {
            String text = new RandomTexts(seed).text();
            Redaction redaction = redaction(text);
            boolean[] covered = new boolean[text.length()];
            for (TextPattern pattern : patterns()) {
                for (Span span : pattern.find(text)) {
                    for (int i = span.start(); i < span.end(); i++) {
                        covered[i] = true;
                    }
                }
            }
            StringBuilder rest = new StringBuilder();
            for (int i = 0; i < text.length(); i++) {
                if (!covered[i]) {
                    rest.append(text.charAt(i));
                }
            }

            String result = redaction.apply(text);

            assertThat(result.replace("\u0000", ""))
                    .as("seed %s: '%s'", seed, text)
                    .isEqualTo(rest.toString());
            redacted += redaction.isEmpty() ? 0 : 1;
        }
        assertThat(redacted).isBetween(CASES / 10, CASES - 1);
    }

    @Test
    @Tag("slow")
    void releaseWhenTextComesInPiecesLeavesAsTheWholeWould() {
        int holdBack = patterns().stream()
                .mapToInt(pattern -> pattern.longest().orElseThrow())
                .max()
                .orElseThrow();
        int early = 0;
        for (int seed = 0; seed < CASES; seed++) {
            RandomTexts random = new RandomTexts(seed);
            String text = random.text() + random.text() + random.text();
            GrowingText growing = new GrowingText(PatternPropertiesTests::redaction, holdBack);
            StringBuilder out = new StringBuilder();
            int at = 0;
            while (at < text.length()) {
                int end = Math.min(text.length(), at + 1 + random.below(12));
                growing.append(text.substring(at, end));
                String piece = growing.release();
                assertThat(piece.isEmpty() || !Character.isHighSurrogate(piece.charAt(piece.length() - 1)))
                        .isTrue();
                out.append(piece);
                at = end;
            }
            early += out.isEmpty() ? 0 : 1;
            out.append(growing.end());

            assertThat(out.toString())
                    .as("seed %s", seed)
                    .isEqualTo(redaction(text).apply(text));
        }
        assertThat(early).isGreaterThan(CASES / 2);
    }

    private static Redaction redaction(String text) {
        return Redaction.of(patterns().stream()
                .flatMap(pattern -> pattern.find(text).stream())
                .map(span -> new Replacement(span, "\u0000"))
                .toList());
    }

    private static List<TextPattern> patterns() {
        return List.of(
                new CardPattern(),
                new IbanPattern(),
                new KeywordPattern(List.of("falcon", "falcon nine", "鷹")),
                expression("\\bE[0-9]{6}\\b"),
                expression("[a-z]{1,8}@[a-z]{1,12}\\.[a-z]{2,4}"),
                expression("\\x{1F600}.?"));
    }

    private static ExpressionPattern expression(String expression) {
        try {
            return ExpressionPattern.of(expression);
        } catch (ExpressionPattern.Malformed e) {
            throw new AssertionError(e);
        }
    }
}
