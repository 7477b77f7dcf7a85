package dev.corral.policies.pattern;

import java.util.List;
import java.util.OptionalInt;

/**
 * Finds all places of one form in a text, in time that grows with the text's length only. Immutable, and safe for use by
 * many threads.
 *
 * <p>A text that grows: a span that starts more than {@link #longest} units before the end stays what it is, whatever
 * follows. Streams hold back so much, and release the rest.
 */
public sealed interface TextPattern permits ExpressionPattern, KeywordPattern, CardPattern, IbanPattern {

    /** All spans, in the order of the text, without overlaps. */
    default List<Span> find(String text) {
        return find(text, Integer.MAX_VALUE);
    }

    /** The first spans, at most so many. */
    List<Span> find(String text, int most);

    /** Whether there is a span. */
    default boolean isIn(String text) {
        return !find(text, 1).isEmpty();
    }

    /**
     * So many UTF-16 units a span may have, with what must be seen behind it to be sure; empty where there is no limit.
     */
    OptionalInt longest();
}
