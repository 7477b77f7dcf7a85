package dev.corral.guardmodels.prompt;

/**
 * The two words that a guard begins its answer with.
 *
 * @param safe such as {@code safe}
 * @param unsafe such as {@code unsafe}
 */
public record VerdictWords(String safe, String unsafe) {

    /** What Llama Guard says. */
    public static final VerdictWords LLAMA_GUARD = new VerdictWords("safe", "unsafe");
}
