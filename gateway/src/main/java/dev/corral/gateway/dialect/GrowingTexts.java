package dev.corral.gateway.dialect;

import dev.corral.policies.pattern.GrowingText;
import dev.corral.policies.policy.ContentSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Texts of a stream that grow side by side and leave without their spans. Not thread-safe.
 *
 * @param <P> where a text is
 */
public final class GrowingTexts<P> {

    private final Redactor redactor;
    private final Map<P, GrowingText> texts = new LinkedHashMap<>();

    public GrowingTexts(Redactor redactor) {
        this.redactor = redactor;
    }

    /** What may leave of a text after this piece of it came. */
    public String grow(P place, String piece, ContentSource source) {
        GrowingText text = texts.computeIfAbsent(
                place, _ -> new GrowingText(whole -> redactor.redaction(whole, source), redactor.holdBack()));
        text.append(piece);
        return text.release();
    }

    /** What stayed of a text, which is over; empty where nothing did. */
    public String end(P place) {
        GrowingText text = texts.get(place);
        return text == null ? "" : text.end();
    }

    /** Where texts are, in the order in which they began. */
    public List<P> places() {
        return List.copyOf(texts.keySet());
    }
}
