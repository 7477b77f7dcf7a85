package dev.corral.gateway.dialect.llamastack;

import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.WireResponse;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Errors as Llama Stack's clients read them: the older ones a {@code detail}, the newer ones an {@code error}. */
final class LlamaStackErrors {

    private LlamaStackErrors() {}

    static WireResponse response(GatewayError error) {
        return WireResponse.json(error.status(), error.headers(), envelope(error));
    }

    static byte[] frame(GatewayError error) {
        return SseEvent.frame(envelope(error));
    }

    private static ObjectNode envelope(GatewayError error) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("error")
                .put("message", error.message())
                .put("type", error.type())
                .put("code", error.code());
        return body.put("detail", error.message());
    }
}
