package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.StrictJson;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Writes answers of one API: one answer, whole or piece by piece. Not thread-safe. */
abstract sealed class AnswerWriter permits OpenAiAnswerWriter, AnthropicAnswerWriter, OllamaAnswerWriter {

    static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    final Letterhead head;

    AnswerWriter(Letterhead head) {
        this.head = head;
    }

    static AnswerWriter of(ChatApi api, Letterhead head) {
        return switch (api) {
            case OPENAI -> new OpenAiAnswerWriter(head);
            case ANTHROPIC -> new AnthropicAnswerWriter(head);
            case OLLAMA -> new OllamaAnswerWriter(head);
        };
    }

    /** A whole answer. */
    abstract ObjectNode whole(WholeAnswer answer);

    /** The frames that a piece makes; none, one or several. */
    abstract List<byte[]> write(Delta delta);

    /** The arguments of a call as the object that they must be. */
    static JsonNode arguments(String name, String arguments) {
        JsonNode value;
        try {
            value = arguments.isBlank() ? JSON.objectNode() : StrictJson.parse(arguments);
        } catch (StrictJson.Malformed e) {
            throw DialectException.unreadable(
                    "it calls the tool '" + name + "' with arguments that are no JSON: " + e.getMessage());
        }
        if (!value.isObject()) {
            throw DialectException.unreadable("it calls the tool '" + name + "' with arguments that are "
                    + Fields.kind(value) + ", not an object");
        }
        return value;
    }
}
