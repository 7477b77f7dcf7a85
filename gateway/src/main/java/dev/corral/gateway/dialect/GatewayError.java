package dev.corral.gateway.dialect;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An error that the gateway itself tells a client, in no dialect yet.
 *
 * @param status HTTP status; a block is never a 408, 409, 429 or 5xx, because clients retry those
 * @param type such as {@code invalid_request_error} or {@code upstream_error}
 * @param code stable, for programs, such as {@code content_policy_violation}; null where the type says all
 * @param param the part of the request that is wrong, such as {@code messages[0].role}; null where there is none
 * @param message rule, value, and what to do
 * @param retryAfter when it makes sense to try again; null where it makes none
 */
public record GatewayError(
        int status,
        String type,
        @Nullable String code,
        @Nullable String param,
        String message,
        @Nullable Duration retryAfter) {

    public GatewayError {
        if (status < 400 || status > 599) {
            throw new IllegalArgumentException("an error's status must be between 400 and 599: " + status);
        }
    }

    /** The headers that belong to it: {@code Retry-After}, rounded up, since who comes too early is turned away again. */
    public Map<String, String> headers() {
        return retryAfter == null
                ? Map.of()
                : Map.of(
                        "Retry-After",
                        Long.toString(
                                Math.max(1, retryAfter.plusNanos(999_999_999).toSeconds())));
    }

    /** The client's mistake: HTTP 400, {@code invalid_request_error}. */
    public static GatewayError invalidRequest(@Nullable String param, String message) {
        return new GatewayError(400, "invalid_request_error", null, param, message, null);
    }

    /** The upstream said something that cannot be read: HTTP 502, {@code upstream_error}. */
    public static GatewayError upstream(String message) {
        return new GatewayError(502, "upstream_error", null, null, message, null);
    }
}
