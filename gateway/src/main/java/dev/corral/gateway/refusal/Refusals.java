package dev.corral.gateway.refusal;

import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import java.util.List;

/** Tells a client of a block, in the style that the policy names. None of the ways is one that client libraries retry. */
public final class Refusals {

    private Refusals() {}

    /**
     * The response to a request whose prompt or whole answer is blocked.
     *
     * @param direction which of both it was; a blocked prompt of a stream is answered by a stream
     */
    public static WireResponse response(
            Dialect dialect, ModeratedRequest request, String exchangeId, Decision.Block block, Direction direction) {
        boolean stream = request.stream() && direction == Direction.PROMPT;
        return switch (block.style()) {
            case REFUSAL ->
                stream
                        ? WireResponse.stream(
                                dialect.streamType(), dialect.refusalStream(request, exchangeId, block.message()))
                        : dialect.refusal(request, exchangeId, block.message());
            case TEXT ->
                stream
                        ? WireResponse.stream(
                                dialect.streamType(), dialect.replyStream(request, exchangeId, block.message()))
                        : dialect.reply(request, exchangeId, block.message());
            case ERROR -> dialect.error(violation(block));
            case AZURE ->
                direction == Direction.PROMPT
                        ? AzureFilter.error(block)
                        : AzureFilter.annotated(dialect.refusal(request, exchangeId, block.message()), block);
            case LITELLM -> LiteLlmBlock.response(block, direction);
            case PORTKEY -> PortkeyHooks.denied(block, direction);
        };
    }

    /** What ends a stream that has begun, in place of the frames that have not passed. */
    public static List<byte[]> frames(Dialect dialect, AnswerStream answer, Decision.Block block) {
        return switch (block.style()) {
            case REFUSAL -> answer.refusalFrames(block.message());
            case TEXT -> answer.replyFrames(block.message());
            case ERROR -> List.of(dialect.errorFrame(violation(block), answer.nextNumber()));
            case AZURE -> AzureFilter.annotated(dialect, answer.refusalFrames(block.message()), block);
            case LITELLM -> List.of(dialect.frame(LiteLlmBlock.body(block, Direction.COMPLETION)));
            case PORTKEY -> List.of(dialect.frame(PortkeyHooks.body(block, Direction.COMPLETION)));
        };
    }

    private static GatewayError violation(Decision.Block block) {
        return new GatewayError(400, "invalid_request_error", "content_policy_violation", null, block.message(), null);
    }
}
