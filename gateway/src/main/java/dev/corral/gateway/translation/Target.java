package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.Words;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * For whom a request is translated.
 *
 * @param upstream its name
 * @param maxTokens the longest answer where the API wants a limit and the client gave none
 */
record Target(ChatApi api, String upstream, int maxTokens) {

    /** Something that cannot be carried there: HTTP 400, never left out in silence. */
    DialectException refusal(String where, String why) {
        return new DialectException(new GatewayError(
                400,
                "invalid_request_error",
                "untranslatable",
                where,
                "'" + where + "' cannot be carried to the upstream '" + upstream + "', which speaks " + api.title()
                        + ": " + why + "; change it or leave it out, or name a model of another upstream",
                null));
    }

    /** Refuses whatever nobody took, unless it asks for nothing or has no meaning there. */
    void refuseRest(Fields fields, Set<String> meaningless) {
        for (String name : fields.remaining()) {
            JsonNode value = fields.take(name);
            if (value != null && !meaningless.contains(name) && !asksForNothing(value)) {
                throw refusal(fields.at(Words.shortened(name)), "it has no counterpart there");
            }
        }
    }

    /** The arguments of a call as an object, which they must be; no text at all is a call without arguments. */
    JsonNode arguments(Content.Call call) {
        if (call.arguments().isBlank()) {
            return JsonNodeFactory.instance.objectNode();
        }
        JsonNode arguments;
        try {
            arguments = StrictJson.parse(call.arguments());
        } catch (StrictJson.Malformed e) {
            throw refusal(
                    call.where(),
                    "the arguments of a call are a JSON object there, and these are no JSON: " + e.getMessage());
        }
        if (!arguments.isObject()) {
            throw refusal(
                    call.where(),
                    "the arguments of a call are a JSON object there, and these are " + Fields.kind(arguments));
        }
        return arguments;
    }

    private static boolean asksForNothing(JsonNode value) {
        return (value.isBoolean() && !value.booleanValue())
                || (value.isNumber() && value.asDouble() == 0)
                || (value.isString() && value.stringValue().isEmpty())
                || (value.isContainer() && value.isEmpty());
    }
}
