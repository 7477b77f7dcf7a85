package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.policies.assessment.Assessment;

/**
 * Judges content. Blocking, safe for use by many threads, and never throws for what it is given to judge: what it cannot
 * judge is {@link Assessment.Inconclusive}, what it cannot read is named in the assessment's coverage.
 *
 * <p>Interrupting the calling thread ends the work soon, with an inconclusive assessment.
 */
public interface Guard extends AutoCloseable {

    /** Which model this is, what it tells apart, how good it was measured to be. */
    GuardProfile profile();

    /**
     * Judges the last turn of a conversation; the turns before it are its context.
     *
     * @param conversation not empty
     */
    Assessment assess(Conversation conversation);

    /** Frees the model; no assessment may be running. */
    @Override
    void close();
}
