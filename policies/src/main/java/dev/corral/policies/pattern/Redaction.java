package dev.corral.policies.pattern;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What is taken out of a text: exactly these spans, each for its replacement.
 *
 * @param replacements in the order of the text; none overlaps another
 */
public record Redaction(List<Replacement> replacements) {

    public Redaction {
        replacements = List.copyOf(replacements);
    }

    /** A span, and what stands for it. */
    public record Replacement(Span span, String with) {}

    /** Spans in any order; those that overlap become one, with the first one's replacement. */
    public static Redaction of(List<Replacement> replacements) {
        List<Replacement> merged = new ArrayList<>();
        replacements.stream()
                .sorted(Comparator.comparingInt(
                                (Replacement replacement) -> replacement.span().start())
                        .thenComparingInt(replacement -> -replacement.span().end()))
                .forEach(next -> {
                    if (merged.isEmpty()
                            || merged.getLast().span().end() <= next.span().start()) {
                        merged.add(next);
                        return;
                    }
                    Replacement last = merged.removeLast();
                    int end = Math.max(last.span().end(), next.span().end());
                    merged.add(new Replacement(new Span(last.span().start(), end), last.with()));
                });
        return new Redaction(merged);
    }

    public boolean isEmpty() {
        return replacements.isEmpty();
    }

    /** The whole text without the spans. */
    public String apply(String text) {
        return apply(text, 0, text.length());
    }

    /**
     * A part of the text without the spans.
     *
     * @param from not inside a span
     * @param to not inside a span
     */
    public String apply(String text, int from, int to) {
        StringBuilder rest = new StringBuilder();
        int at = from;
        for (Replacement replacement : replacements) {
            Span span = replacement.span();
            if (span.start() >= from && span.end() <= to) {
                rest.append(text, at, span.start()).append(replacement.with());
                at = span.end();
            }
        }
        return rest.append(text, at, to).toString();
    }

    /** The last place up to this one that is not inside a span. */
    public int outside(int at) {
        return replacements.stream()
                .map(Replacement::span)
                .filter(span -> span.start() < at && at < span.end())
                .map(Span::start)
                .findFirst()
                .orElse(at);
    }
}
