package dev.corral.gateway.dialect;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.http.MediaType;

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
}
