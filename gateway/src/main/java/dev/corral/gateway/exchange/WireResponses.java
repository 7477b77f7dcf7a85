package dev.corral.gateway.exchange;

import dev.corral.gateway.dialect.WireResponse;
import java.util.List;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.server.reactive.ServerHttpResponse;
import reactor.core.publisher.Mono;

/** Sends whole answers of the gateway's own. */
public final class WireResponses {

    /** What describes a body that is not sent any more. */
    private static final List<String> OF_THE_BODY = List.of(
            HttpHeaders.CONTENT_ENCODING,
            HttpHeaders.CONTENT_RANGE,
            HttpHeaders.CONTENT_DISPOSITION,
            HttpHeaders.TRANSFER_ENCODING,
            HttpHeaders.TRAILER,
            HttpHeaders.ETAG,
            HttpHeaders.LAST_MODIFIED,
            HttpHeaders.LOCATION,
            "Content-MD5",
            "Digest",
            "Content-Digest",
            "Repr-Digest");

    private WireResponses() {}

    /** Sends it; nothing may have been sent before. */
    public static Mono<Void> write(ServerHttpResponse response, WireResponse answer) {
        HttpHeaders headers = describe(response, answer);
        headers.setContentLength(answer.body().length);
        return response.writeWith(
                Mono.fromSupplier(() -> response.bufferFactory().wrap(answer.body())));
    }

    private static HttpHeaders describe(ServerHttpResponse response, WireResponse answer) {
        response.setStatusCode(HttpStatusCode.valueOf(answer.status()));
        HttpHeaders headers = response.getHeaders();
        OF_THE_BODY.forEach(headers::remove);
        headers.setContentType(answer.contentType());
        answer.headers().forEach(headers::set);
        return headers;
    }
}
