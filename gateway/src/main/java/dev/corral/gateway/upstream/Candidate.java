package dev.corral.gateway.upstream;

import dev.corral.gateway.admission.RequestBody;
import dev.corral.gateway.translation.Translation;
import java.net.URI;
import java.util.Optional;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.web.server.ServerWebExchange;

/**
 * An upstream that can take a request.
 *
 * @param target where the request goes
 * @param translation into the upstream's API; empty where the request goes as it comes
 */
record Candidate(Upstream upstream, URI target, Optional<Translation> translation) {

    /** The request as this upstream gets it. */
    ServerHttpRequest request(ServerWebExchange exchange) {
        ServerHttpRequest introduced = exchange.getRequest()
                .mutate()
                .headers(headers -> translation.ifPresentOrElse(
                        translated -> {
                            upstream.introduceTranslated(headers);
                            translated.describe(headers);
                        },
                        () -> upstream.introduce(headers)))
                .build();
        return translation
                .map(translated -> RequestBody.with(
                        introduced, translated.request(), exchange.getResponse().bufferFactory()))
                .orElse(introduced);
    }
}
