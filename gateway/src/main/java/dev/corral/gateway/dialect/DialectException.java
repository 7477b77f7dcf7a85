package dev.corral.gateway.dialect;

import org.jspecify.annotations.Nullable;

/** Input that is not in the dialect, with the error to tell the client; what was received is never part of the message. */
public final class DialectException extends RuntimeException {

    private final transient GatewayError error;

    public DialectException(GatewayError error) {
        super(error.message());
        this.error = error;
    }

    /** The client's mistake: HTTP 400. */
    public static DialectException invalidRequest(@Nullable String param, String message) {
        return new DialectException(GatewayError.invalidRequest(param, message));
    }

    /** The upstream's: HTTP 502. */
    public static DialectException unreadable(String why) {
        return new DialectException(GatewayError.upstream("the upstream's answer cannot be read: " + why
                + "; what cannot be read cannot be judged, so it was not passed on"));
    }

    /** What to tell the client. */
    public GatewayError error() {
        return error;
    }
}
