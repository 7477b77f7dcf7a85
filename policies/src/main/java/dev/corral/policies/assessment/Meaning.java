package dev.corral.policies.assessment;

/** What the probabilities of an assessment's hazards say. */
public enum Meaning {
    /**
     * P(unsafe) times the probability that the guard names this hazard before any other. These exclude each other: with
     * what is unnamed they add up to P(unsafe). Only the worst of several pieces of one text may add up to more.
     */
    FIRST_HAZARD(true),

    /**
     * P(unsafe) times the probability, as far as it is known, that the guard names this hazard at all: never less than
     * that of {@link #FIRST_HAZARD}. One content may have several hazards at once, so they may add up to more than
     * P(unsafe); no two of them together can be likelier than that.
     */
    ALL_HAZARDS(false),

    /** No probabilities: 1 for what the guard said, and 0 for what it did not say. It may have named several hazards. */
    VERDICT(false);

    private final boolean exclusive;

    Meaning(boolean exclusive) {
        this.exclusive = exclusive;
    }

    /** Whether the hazards exclude each other, so that the probability of one or another of them is their sum. */
    public boolean exclusive() {
        return exclusive;
    }

    /** What holds for the worse of two pieces of one text, each by itself. */
    public Meaning or(Meaning other) {
        return compareTo(other) >= 0 ? this : other;
    }
}
