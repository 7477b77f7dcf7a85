package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/** What upstreams say of failures, in whatever envelope. */
final class UpstreamError {

    /** Where errors are found: at OpenAI, Anthropic and Ollama, at FastAPI, and at older vLLMs. */
    private static final List<String> PLACES = List.of("error", "detail", "message");

    private UpstreamError() {}

    /** Whether a value tells of a failure. */
    static boolean is(JsonNode value) {
        return value.hasNonNull("error");
    }

    /**
     * The error in an upstream's own words.
     *
     * @param status of its answer
     * @throws DialectException where there are none
     */
    static GatewayError read(int status, JsonNode body) {
        JsonNode error = PLACES.stream()
                .map(body::path)
                .filter(place -> place.isObject() || place.isString())
                .findFirst()
                .orElseThrow(() -> DialectException.unreadable("it is an error without a message"));
        String message = error.isString()
                ? error.stringValue()
                : text(error, "message")
                        .orElseThrow(() -> DialectException.unreadable("it is an error without a message"));
        return new GatewayError(
                status,
                text(error, "type").orElse(status < 500 ? "invalid_request_error" : "upstream_error"),
                text(error, "code").orElse(null),
                text(error, "param").orElse(null),
                message,
                null);
    }

    private static Optional<String> text(JsonNode error, String field) {
        return Stream.of(error.path(field))
                .filter(JsonNode::isString)
                .map(JsonNode::stringValue)
                .findFirst();
    }
}
