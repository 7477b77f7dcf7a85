package dev.corral.gateway.dialect;

/** Input that is not in the dialect, with the error to tell the client; what was received is never part of the message. */
public final class DialectException extends RuntimeException {

    private final transient GatewayError error;

    public DialectException(GatewayError error) {
        super(error.message());
        this.error = error;
    }

    /** What to tell the client. */
    public GatewayError error() {
        return error;
    }
}
