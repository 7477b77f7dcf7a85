package dev.corral.policies.pattern;

/**
 * A part of a text, never empty.
 *
 * @param start first UTF-16 unit
 * @param end after the last UTF-16 unit
 */
public record Span(int start, int end) {

    public Span {
        if (start < 0 || end <= start) {
            throw new IllegalArgumentException("a span must not be empty or negative: " + start + " to " + end);
        }
    }
}
