package dev.corral.guardmodels.guard;

/** An image that no guard can see; the message says why, and what to do about it where there is something. */
public final class UnreadableImageException extends RuntimeException {

    public UnreadableImageException(String message) {
        super(message);
    }

    public UnreadableImageException(String message, Throwable cause) {
        super(message, cause);
    }
}
