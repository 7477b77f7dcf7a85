package dev.corral.gateway.dialect;

import java.util.List;

/** A dialect whose answers are numbers: there is no text in them that could say no, so that a refusal is an error. */
public abstract class TextlessDialect implements Dialect {

    @Override
    public final AnswerStream answerStream() {
        throw DialectException.unreadable("it is a stream, where numbers were asked for");
    }

    @Override
    public final WireResponse refusal(ModeratedRequest request, String exchangeId, String message) {
        return error(new GatewayError(400, "invalid_request_error", "content_policy_violation", null, message, null));
    }

    @Override
    public final WireResponse reply(ModeratedRequest request, String exchangeId, String message) {
        return refusal(request, exchangeId, message);
    }

    @Override
    public final List<byte[]> refusalStream(ModeratedRequest request, String exchangeId, String message) {
        throw new IllegalStateException("numbers are never a stream");
    }

    @Override
    public final List<byte[]> replyStream(ModeratedRequest request, String exchangeId, String message) {
        throw new IllegalStateException("numbers are never a stream");
    }
}
