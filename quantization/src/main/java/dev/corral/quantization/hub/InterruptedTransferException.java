package dev.corral.quantization.hub;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** A request that did not come to its end, which another attempt may. */
final class InterruptedTransferException extends IOException {

    @SuppressWarnings("serial") // never serialised
    private final Optional<Duration> retryAfter;

    InterruptedTransferException(String message) {
        this(message, Optional.empty());
    }

    InterruptedTransferException(String message, Throwable cause) {
        super(message, cause);
        this.retryAfter = Optional.empty();
    }

    InterruptedTransferException(String message, Optional<Duration> retryAfter) {
        super(message);
        this.retryAfter = retryAfter;
    }

    /** When the server wishes to be asked again. */
    Optional<Duration> retryAfter() {
        return retryAfter;
    }
}
