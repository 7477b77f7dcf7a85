package dev.corral.policies.pattern;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalInt;

/** A regular expression in RE2's syntax: no lookaround, no references to groups, and in return no text that takes long. */
public final class ExpressionPattern implements TextPattern {

    /*
     * RE2 steps through a text with all states at once, some hundred nanoseconds a character. Twenty expressions would
     * take ten milliseconds for a page. But nearly every expression has a character that all its matches need, such as a
     * digit or an '@', and ordinary text has few of them. So where matches are bounded, only the surroundings of such
     * characters are searched: a match that needs one lies within its greatest length of it. A unit more on each side lets
     * \b see what it would see in the whole text.
     *
     * Anchors: a piece of a text has a beginning and an end that the text has not, where \A, ^, \z and $ would hold. An
     * expression that has them is searched for in the whole text.
     */

    private static final int LONGEST_EXPRESSION = 1_000;
    /** A longer match is as good as one without a limit: a stream would be held back for it. */
    private static final int LONGEST_MATCH = 1_000;

    private static final long LARGEST = 5_000;

    private final String expression;
    private final Pattern pattern;
    private final Shape shape;
    private final boolean anchored;

    private ExpressionPattern(String expression, Pattern pattern, Shape shape) {
        this.expression = expression;
        this.pattern = pattern;
        this.shape = shape;
        this.anchored = expression.contains("^")
                || expression.contains("$")
                || expression.contains("\\A")
                || expression.contains("\\z");
    }

    /** Why something is no expression; the message completes a sentence, and names what to do where it can. */
    public static final class Malformed extends Exception {

        Malformed(String message) {
            super(message);
        }
    }

    /** Reads an expression. */
    public static ExpressionPattern of(String expression) throws Malformed {
        if (expression.length() > LONGEST_EXPRESSION) {
            throw new Malformed("it is longer than " + LONGEST_EXPRESSION + " characters");
        }
        if (expression.matches(".*(?<!\\\\)(\\\\\\\\)*\\(\\?<?[=!].*")) {
            throw new Malformed(
                    "it looks ahead or behind, which cannot be done in a time that only grows with the text");
        }
        if (expression.matches(".*(?<!\\\\)(\\\\\\\\)*\\\\[1-9].*")) {
            throw new Malformed(
                    "it refers back to a group, which cannot be done in a time that only grows with the text");
        }
        try {
            checkSize(expression);
            ExpressionPattern made =
                    new ExpressionPattern(expression, Pattern.compile(expression), Shape.of(expression));
            if (made.shape.shortest() == 0 || made.pattern.matcher("").find()) {
                throw new Malformed("it matches where nothing is, and so everywhere");
            }
            return made;
        } catch (PatternSyntaxException e) {
            throw new Malformed("it is not a regular expression of RE2: " + e.getDescription()
                    + (e.getPattern().isEmpty() || e.getPattern().equals(expression) ? "" : ": " + e.getPattern()));
        }
    }

    /** Before RE2 builds a machine of as many steps; what is no expression is left to it. */
    private static void checkSize(String expression) throws Malformed {
        long size;
        try {
            size = Shape.of(expression).size();
        } catch (IndexOutOfBoundsException | IllegalArgumentException _) {
            return;
        }
        if (size > LARGEST) {
            throw new Malformed("it repeats its parts too often, " + size + " times in all; the limit is " + LARGEST);
        }
    }

    /** As it was written. */
    public String expression() {
        return expression;
    }

    /** Texts in which the expression finds something; possibly none. */
    public List<String> examples() {
        return shape.examples().stream().filter(text -> !find(text).isEmpty()).toList();
    }

    @Override
    public OptionalInt longest() {
        // and one to see whether a word or a line is over
        return shape.longest() > LONGEST_MATCH ? OptionalInt.empty() : OptionalInt.of((int) shape.longest() + 1);
    }

    @Override
    public List<Span> find(String text, int most) {
        List<Span> spans = new ArrayList<>();
        if (anchored || longest().isEmpty() || shape.needed().isEmpty()) {
            if (shape.needed().isEmpty() || needed(text, 0) < text.length()) {
                search(text, 0, text.length(), spans, most);
            }
            return spans;
        }
        int reach = (int) shape.longest() + 1;
        int at = needed(text, 0);
        while (at < text.length() && spans.size() < most) {
            int start = Math.max(0, at - reach);
            int end = at;
            for (int next = at; next < text.length() && next - reach <= end; next = needed(text, next + 1)) {
                end = Math.min(text.length(), next + reach);
                at = next;
            }
            int from = Math.max(start, spans.isEmpty() ? 0 : spans.getLast().end());
            search(text, from, end, spans, most);
            at = needed(text, at + 1);
        }
        return spans;
    }

    private void search(String text, int from, int end, List<Span> spans, int most) {
        boolean whole = from == 0 && end == text.length();
        int offset = whole ? 0 : Math.max(0, from - 1);
        String part = whole ? text : text.substring(offset, Math.min(text.length(), end + 1));
        Matcher matcher = pattern.matcher(part);
        int position = from - offset;
        while (spans.size() < most && position < part.length() && matcher.find(position)) {
            spans.add(new Span(offset + matcher.start(), offset + matcher.end()));
            position = matcher.end();
        }
    }

    private int needed(String text, int from) {
        BitSet needed = shape.needed().orElseThrow();
        int at = from;
        while (at < text.length() && !needed.get(Math.min(text.charAt(at), Shape.OTHERS))) {
            at++;
        }
        return at;
    }
}
