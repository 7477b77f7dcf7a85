package dev.corral.gateway.coverage;

/** What becomes of a harmful text in a place. */
enum Treatment {
    JUDGED("judged"),
    UNSCANNED("unscanned"),
    /** Its value must be a known one. */
    REFUSED("refused"),
    /** Whatever it says. */
    NOT_SERVED("refused"),
    /** Judged where it is longer, or no single word. */
    PASSES_WORD("word"),
    /** Judged where it is longer. */
    PASSES_SHORT("short"),
    /** Refused where it is longer. */
    PASSES_NAME("name"),
    PASSES("passes");

    private final String words;

    Treatment(String words) {
        this.words = words;
    }

    boolean needsReason() {
        return this == PASSES_WORD || this == PASSES_SHORT || this == PASSES_NAME || this == PASSES;
    }

    @Override
    public String toString() {
        return words;
    }
}
