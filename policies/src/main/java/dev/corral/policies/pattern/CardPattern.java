package dev.corral.policies.pattern;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Payment card numbers (ISO/IEC 7812): 13 to 19 digits from 2 to 6 on, whose last is Luhn's check digit; in groups
 * separated by one space or hyphen, or in one piece. A number inside a longer row of groups is found, too.
 */
public record CardPattern() implements TextPattern {

    private static final int FEWEST = 13;
    private static final int MOST = 19;

    @Override
    public List<Span> find(String text, int most) {
        List<Span> spans = new ArrayList<>();
        int at = 0;
        while (spans.size() < most && at < text.length()) {
            if (!isDigit(text.charAt(at)) || (at > 0 && isDigit(text.charAt(at - 1)))) {
                at++;
                continue;
            }
            int end = end(text, at);
            if (end > 0) {
                spans.add(new Span(at, end));
                at = end;
            } else {
                at++;
            }
        }
        return spans;
    }

    /** 19 digits, 18 separators, and the unit that shows that no digit follows. */
    @Override
    public OptionalInt longest() {
        return OptionalInt.of(MOST + MOST - 1 + 1);
    }

    /** Where the longest number ends that starts here; 0 for none. */
    private static int end(String text, int start) {
        if (text.charAt(start) < '2' || text.charAt(start) > '6') {
            return 0;
        }
        int[] digits = new int[MOST];
        int count = 0;
        int best = 0;
        int at = start;
        while (at < text.length() && count < MOST) {
            char c = text.charAt(at);
            if (isDigit(c)) {
                digits[count++] = c - '0';
                boolean groupEnds = at + 1 == text.length() || !isDigit(text.charAt(at + 1));
                if (groupEnds && count >= FEWEST && passesLuhn(digits, count)) {
                    best = at + 1;
                }
            } else if (!isSeparator(c) || isSeparator(text.charAt(at - 1))) {
                break;
            }
            at++;
        }
        return best;
    }

    private static boolean passesLuhn(int[] digits, int count) {
        int sum = 0;
        for (int i = 0; i < count; i++) {
            int digit = digits[count - 1 - i];
            int doubled = i % 2 == 0 ? digit : digit * 2;
            sum += doubled > 9 ? doubled - 9 : doubled;
        }
        return sum % 10 == 0;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isSeparator(char c) {
        return c == ' ' || c == '-' || c == '\u00A0';
    }
}
