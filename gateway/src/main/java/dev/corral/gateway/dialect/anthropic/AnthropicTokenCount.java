package dev.corral.gateway.dialect.anthropic;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.AnswerParts;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.Paths;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.TextlessDialect;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.List;
import org.springframework.http.HttpMethod;
import tools.jackson.databind.JsonNode;

/**
 * {@code POST …/messages/count_tokens}: the same request as a message, of which only the length comes back. It is judged
 * all the same, because the upstream reads and may keep it; where it must not pass there is no count, but an error.
 */
public final class AnthropicTokenCount extends TextlessDialect {

    @Override
    public boolean serves(HttpMethod method, String path) {
        return Paths.isPost(method, path, "/messages/count_tokens");
    }

    @Override
    public ModeratedRequest read(byte[] body) {
        ModeratedRequest request = MessagesRequestReader.read(body);
        return new ModeratedRequest(request.conversation(), request.model(), false);
    }

    @Override
    public Answer readAnswer(byte[] body) {
        JsonNode root = StrictJson.answer(body);
        if (!root.isObject()) {
            throw DialectException.unreadable("it is not a JSON object");
        }
        Fields fields = new Fields(root, "");
        AnswerParts parts = new AnswerParts();
        parts.neutral(fields.take("type"), "type");
        parts.neutral(fields.take("request_id"), "request_id");
        parts.texts(fields.take("error"), "error");
        parts.unread(fields);
        return new Answer(parts.parts().isEmpty() ? List.of() : List.of(new Turn(Role.ASSISTANT, parts.parts())));
    }

    @Override
    public WireResponse error(GatewayError error) {
        return MessageWriter.error(error);
    }

    @Override
    public byte[] errorFrame(GatewayError error) {
        return MessageWriter.errorFrame(error);
    }

    @Override
    public byte[] redactRequest(byte[] body, Redactor redactor) {
        return MessageTexts.MESSAGES.redactedRequest(body, redactor);
    }

    @Override
    public byte[] redactAnswer(byte[] body, Redactor redactor) {
        return MessageTexts.MESSAGES.redactedAnswer(body, redactor);
    }
}
