package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.taxonomy.Hazard;
import java.util.List;

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

    /** The most hazards that it can be asked for at once; 0 where its own are all that it can look for. */
    default int places() {
        return 0;
    }

    /**
     * This guard, asked for these hazards in place of its own. It shares the model, which closing this guard frees.
     *
     * @param hazards some of the profile's, in its order, and others, together at most {@link #places}. None: all of its own.
     *     A guard without places stays as it is, and may find others, too
     * @throws IllegalArgumentException if it cannot be asked for them
     */
    default Guard asking(List<Hazard> hazards) {
        return this;
    }

    /** Frees the model; no assessment may be running. */
    @Override
    void close();
}
