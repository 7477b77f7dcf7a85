package dev.corral.guardmodels.store;

/**
 * A file of a directory, compared with the directory's {@code SHA256SUMS}.
 *
 * @param detail what was found and what was expected, for people
 */
public record FileCheck(String name, State state, String detail) {

    /** How the file is. */
    public enum State {
        WHOLE,
        MISSING,
        TRUNCATED,
        CHANGED,

        /** It is there, but nothing says what it should be. */
        UNLISTED
    }
}
