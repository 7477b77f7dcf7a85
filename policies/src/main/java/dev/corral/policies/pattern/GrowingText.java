package dev.corral.policies.pattern;

import java.util.function.Function;

/**
 * A text that comes piece by piece and leaves without its spans. Not thread-safe.
 *
 * <p>Invariant: what has left, joined, is at the end exactly the whole text's redaction, however it was cut. A span that
 * starts more than the held-back length before the end is final, so the text before it is, too; what may still become a
 * part of a span stays.
 */
public final class GrowingText {

    private final Function<String, Redaction> redaction;
    private final int holdBack;
    private final StringBuilder text = new StringBuilder();
    private int left;

    /**
     * An empty text.
     *
     * @param redaction of the whole text up to now
     * @param holdBack UTF-16 units; at least the longest of every pattern behind the redaction
     */
    public GrowingText(Function<String, Redaction> redaction, int holdBack) {
        this.redaction = redaction;
        this.holdBack = holdBack;
    }

    /** Adds a piece. */
    public void append(String piece) {
        text.append(piece);
    }

    /** What may leave now, redacted. */
    public String release() {
        String whole = text.toString();
        Redaction spans = redaction.apply(whole);
        int safe = Math.max(left, spans.outside(Math.max(left, whole.length() - holdBack)));
        if (safe > left && safe < whole.length() && Character.isHighSurrogate(whole.charAt(safe - 1))) {
            safe--;
        }
        return leave(spans, whole, safe);
    }

    /** Everything that is left, redacted: the text is over. */
    public String end() {
        String whole = text.toString();
        return leave(redaction.apply(whole), whole, whole.length());
    }

    private String leave(Redaction spans, String whole, int to) {
        String piece = spans.apply(whole, left, to);
        left = to;
        return piece;
    }
}
