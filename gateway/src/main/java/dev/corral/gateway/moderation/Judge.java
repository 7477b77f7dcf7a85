package dev.corral.gateway.moderation;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.guard.Judgements;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.Facts;
import java.time.Duration;
import java.util.List;
import reactor.core.publisher.Mono;

/** Asks the guard, lets the exchange's policy decide, and notes what it decided. */
final class Judge {

    private static final Duration RETRY_AFTER = Duration.ofSeconds(2);

    private final ReactiveGuard guard;

    Judge(ReactiveGuard guard) {
        this.guard = guard;
    }

    /** Judges every turn of a request. */
    Mono<Decision> prompt(ModeratedExchange exchange, Conversation conversation) {
        return decide(exchange, Direction.PROMPT, Judgements.of(conversation), Urgency.PROMPT);
    }

    /** Judges what was answered up to now, each choice by itself, as a turn that follows the request. */
    Mono<Decision> answer(ModeratedExchange exchange, Conversation request, Answer answer) {
        List<Conversation> judgements = answer.choices().stream()
                .filter(choice -> !choice.parts().isEmpty())
                .map(request::plus)
                .flatMap(answered -> Judgements.ofLast(answered).stream())
                .toList();
        return decide(exchange, Direction.COMPLETION, judgements, Urgency.ANSWER);
    }

    private Mono<Decision> decide(
            ModeratedExchange exchange, Direction direction, List<Conversation> judgements, Urgency urgency) {
        CompiledPolicy policy = exchange.policy();
        return guard.assess(judgements, urgency, policy.textGuard().timeout()).map(assessments -> {
            Decision decision = policy.decide(assessments, new Facts(direction));
            exchange.decided(direction, decision);
            return decision;
        });
    }

    /** A block in the style of an error; not one that clients retry. */
    static DialectException violation(Decision.Block block) {
        return new DialectException(new GatewayError(
                400, "invalid_request_error", "content_policy_violation", null, block.message(), null));
    }

    /** Nothing passes without a verdict, and it is worth to try again. */
    static DialectException unavailable(Decision.Unavailable unavailable) {
        return unavailable(unavailable.message());
    }

    /** There is nothing to tell whoever asks for a verdict. */
    static DialectException withoutVerdict(Inconclusive inconclusive) {
        return unavailable("there is no verdict: " + inconclusive.detail());
    }

    private static DialectException unavailable(String message) {
        return new DialectException(
                new GatewayError(503, "server_error", "guard_unavailable", null, message, RETRY_AFTER));
    }
}
