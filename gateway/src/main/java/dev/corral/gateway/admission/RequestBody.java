package dev.corral.gateway.admission;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.exchange.HeapBytes;
import java.util.List;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpRequestDecorator;
import org.springframework.util.unit.DataSize;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Reads the body of a request once, and hands the same bytes to whoever comes after. */
public final class RequestBody {

    private final DataSize maxSize;

    public RequestBody(DataSize maxSize) {
        this.maxSize = maxSize;
    }

    /**
     * The body's bytes, empty where there is none.
     *
     * <p>Fails with 415 for a content encoding, because what cannot be read cannot be judged, and with 413 for more than
     * the limit, whether the length was announced or not.
     */
    public Mono<byte[]> read(ServerHttpRequest request) {
        HttpHeaders headers = request.getHeaders();
        List<String> encodings = headers.getValuesAsList(HttpHeaders.CONTENT_ENCODING).stream()
                .filter(encoding -> !encoding.equalsIgnoreCase("identity"))
                .toList();
        if (!encodings.isEmpty()) {
            return Mono.error(new DialectException(new GatewayError(
                    415,
                    "invalid_request_error",
                    "unsupported_content_encoding",
                    null,
                    "the request's Content-Encoding '" + String.join(", ", encodings)
                            + "' is not supported: send the body without compression, so that it can be moderated",
                    null)));
        }
        GatewayError tooLarge = new GatewayError(
                413,
                "invalid_request_error",
                "request_too_large",
                null,
                "the request's body is larger than " + maxSize.toBytes()
                        + " bytes: send less, or raise corral.max-request-size",
                null);
        if (headers.getContentLength() > maxSize.toBytes()) {
            return Mono.error(new DialectException(tooLarge));
        }
        return HeapBytes.join(request.getBody().map(HeapBytes::take), maxSize.toBytes(), tooLarge);
    }

    /** The bytes of a request that was admitted, however long it has become since, as by images that were fetched. */
    public static Mono<byte[]> again(ServerHttpRequest request) {
        return HeapBytes.join(
                request.getBody().map(HeapBytes::take),
                Long.MAX_VALUE,
                GatewayError.invalidRequest(null, "the body is longer than any can be"));
    }

    /** A request with this body, which may be read any number of times; headers are those of the delegate. */
    public static ServerHttpRequest with(ServerHttpRequest request, byte[] body, DataBufferFactory buffers) {
        return new ServerHttpRequestDecorator(request) {
            @Override
            public Flux<DataBuffer> getBody() {
                return body.length == 0 ? Flux.empty() : Flux.defer(() -> Flux.just(buffers.wrap(body)));
            }
        };
    }
}
