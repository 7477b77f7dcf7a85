package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.WireResponse;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** How OpenAI tells errors, and everybody who speaks one of its APIs. */
public final class ErrorEnvelope {

    private ErrorEnvelope() {}

    /** An error as a whole answer. */
    public static WireResponse whole(GatewayError error) {
        return WireResponse.json(error.status(), error.headers(), of(error));
    }

    /** An error as an event without a name, in the middle of a stream. */
    public static byte[] frame(GatewayError error) {
        return SseEvent.frame(of(error));
    }

    private static ObjectNode of(GatewayError error) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("error")
                .put("message", error.message())
                .put("type", error.type())
                .put("param", error.param())
                .put("code", error.code());
        return body;
    }
}
