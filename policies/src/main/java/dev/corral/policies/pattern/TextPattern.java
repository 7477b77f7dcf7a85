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

    /** In the order of the text, without overlaps. */
    List<Span> find(String text);

    /**
     * So many UTF-16 units a span may have, with what must be seen behind it to be sure; empty where there is no limit.
     */
    OptionalInt longest();
}
