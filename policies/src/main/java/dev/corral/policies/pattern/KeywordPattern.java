package dev.corral.policies.pattern;

import java.lang.Character.UnicodeScript;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Words and phrases, whatever their case, where they stand as whole words. In scripts that are written without spaces,
 * every character is a word of its own. A text is looked up word by word, so that a thousand keywords cost what one does.
 */
public final class KeywordPattern implements TextPattern {

    private static final Set<UnicodeScript> WITHOUT_SPACES = EnumSet.of(
            UnicodeScript.HAN,
            UnicodeScript.HIRAGANA,
            UnicodeScript.KATAKANA,
            UnicodeScript.THAI,
            UnicodeScript.LAO,
            UnicodeScript.KHMER,
            UnicodeScript.MYANMAR);

    private final Map<String, List<String>> byFirstWord = new HashMap<>();
    private final boolean[] firsts = new boolean[128];
    private final int longest;

    /**
     * A pattern of these keywords.
     *
     * @param keywords none blank
     */
    public KeywordPattern(Collection<String> keywords) {
        int longestKeyword = 0;
        for (String keyword : keywords) {
            String word = keyword.strip();
            if (word.isEmpty()) {
                throw new IllegalArgumentException("a keyword must not be blank");
            }
            byFirstWord
                    .computeIfAbsent(folded(word.substring(0, wordEnd(word, 0))), _ -> new ArrayList<>())
                    .add(word);
            char first = word.charAt(0);
            for (char c = 0; c < firsts.length; c++) {
                firsts[c] |= Character.toUpperCase(c) == Character.toUpperCase(first)
                        || Character.toLowerCase(c) == Character.toLowerCase(first);
            }
            longestKeyword = Math.max(longestKeyword, word.length());
        }
        byFirstWord
                .values()
                .forEach(words ->
                        words.sort(Comparator.comparingInt(String::length).reversed()));
        longest = longestKeyword;
    }

    /** As they were given, in no order that means anything. */
    public List<String> keywords() {
        return byFirstWord.values().stream().flatMap(List::stream).toList();
    }

    @Override
    public List<Span> find(String text, int most) {
        List<Span> spans = new ArrayList<>();
        int at = 0;
        while (spans.size() < most && at < text.length()) {
            int end = wordEnd(text, at);
            int found = end - at > longest || !begins(text.charAt(at)) ? 0 : longestAt(text, at, end);
            if (found > 0) {
                spans.add(new Span(at, found));
                at = found;
            } else {
                at = end;
            }
        }
        return spans;
    }

    /** The longest keyword, and the character that shows that its last word is over. */
    @Override
    public OptionalInt longest() {
        return OptionalInt.of(longest + 2);
    }

    /** Whether a keyword may begin with this unit; most words of a text are sorted out here. */
    private boolean begins(char c) {
        return c >= firsts.length || firsts[c];
    }

    private int longestAt(String text, int start, int wordEnd) {
        for (String keyword : byFirstWord.getOrDefault(folded(text.substring(start, wordEnd)), List.of())) {
            int end = start + keyword.length();
            if (text.regionMatches(true, start, keyword, 0, keyword.length()) && isBoundary(text, end)) {
                return end;
            }
        }
        return 0;
    }

    private static boolean isBoundary(String text, int at) {
        return at == text.length() || !isWord(text.codePointBefore(at)) || !isWord(text.codePointAt(at));
    }

    /** Where the word ends that starts here: a row of letters and digits, or one character. */
    private static int wordEnd(String text, int start) {
        int at = start + Character.charCount(text.codePointAt(start));
        if (isWord(text.codePointAt(start))) {
            while (at < text.length() && isWord(text.codePointAt(at))) {
                at += Character.charCount(text.codePointAt(at));
            }
        }
        return at;
    }

    private static boolean isWord(int codePoint) {
        return Character.isLetterOrDigit(codePoint)
                && (codePoint < 0x0E00 || !WITHOUT_SPACES.contains(UnicodeScript.of(codePoint)));
    }

    /** As {@link String#regionMatches} compares: by way of upper case, unit by unit. */
    private static String folded(String word) {
        return word.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT);
    }
}
