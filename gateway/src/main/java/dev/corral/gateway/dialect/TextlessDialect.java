package dev.corral.gateway.dialect;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A dialect whose answers are numbers: there is no text in them that could say no, so that a refusal is an error. */
public abstract class TextlessDialect implements Dialect {

    private final @Nullable String param;

    /** A dialect whose refusals blame the request as a whole. */
    protected TextlessDialect() {
        this(null);
    }

    /**
     * A dialect whose refusals blame one field.
     *
     * @param param where texts are in a request
     */
    protected TextlessDialect(@Nullable String param) {
        this.param = param;
    }

    @Override
    public final AnswerStream answerStream() {
        throw DialectException.unreadable("it is a stream, where numbers were asked for");
    }

    @Override
    public final WireResponse refusal(ModeratedRequest request, String exchangeId, String message) {
        return error(new GatewayError(400, "invalid_request_error", "content_policy_violation", param, message, null));
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
