package dev.corral.gateway.translation;

/** How an answer is to be made, as far as more than one API can say it. */
enum Setting {
    TEMPERATURE,
    TOP_P,
    TOP_K,
    MIN_P,
    /** The longest answer, in tokens. */
    MAX_TOKENS,
    /** Texts that end an answer: always a list. */
    STOP,
    SEED,
    PRESENCE_PENALTY,
    FREQUENCY_PENALTY,
    /** How much is thought before the answer: the name of an {@link Effort}. */
    THINKING,
    /** Whether several tools may be called at once; only ever there as false. */
    PARALLEL_CALLS,
    /** Who asks, by a name of the application's own. */
    USER
}
