package dev.corral.guardmodels.store;

/** A guard directory that cannot be used. The message names the file, what was expected and found, and what to do. */
public final class UnusableGuardException extends RuntimeException {

    public UnusableGuardException(String message) {
        super(message);
    }

    public UnusableGuardException(String message, Throwable cause) {
        super(message, cause);
    }
}
