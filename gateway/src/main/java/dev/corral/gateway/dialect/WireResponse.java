package dev.corral.gateway.dialect;

import java.io.ByteArrayOutputStream;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import tools.jackson.databind.JsonNode;

/**
 * A whole response of the gateway's own.
 *
 * @param status HTTP status
 * @param headers beside the content type, such as {@code Retry-After}
 * @param body not to be changed
 */
@SuppressWarnings("ArrayRecordComponent") // bytes for the wire: never compared, never a key
public record WireResponse(int status, MediaType contentType, Map<String, String> headers, byte[] body) {

    public WireResponse {
        headers = Collections.unmodifiableMap(new LinkedHashMap<>(headers));
    }

    /** A whole stream. */
    public static WireResponse stream(MediaType type, List<byte[]> frames) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        frames.forEach(body::writeBytes);
        return new WireResponse(200, type, Map.of(HttpHeaders.CACHE_CONTROL, "no-cache"), body.toByteArray());
    }

    /** A response of JSON. */
    public static WireResponse json(int status, Map<String, String> headers, JsonNode body) {
        return new WireResponse(status, MediaType.APPLICATION_JSON, headers, StrictJson.bytes(body));
    }
}
