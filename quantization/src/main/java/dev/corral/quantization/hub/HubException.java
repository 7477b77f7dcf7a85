package dev.corral.quantization.hub;

/** Something that cannot be had from a hub. The message says what was asked, what came, and what to do. */
public final class HubException extends RuntimeException {

    public HubException(String message) {
        super(message);
    }

    public HubException(String message, Throwable cause) {
        super(message, cause);
    }
}
