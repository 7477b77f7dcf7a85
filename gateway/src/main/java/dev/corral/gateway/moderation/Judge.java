package dev.corral.gateway.moderation;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Judgements;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.Evidence;
import dev.corral.policies.policy.Facts;
import dev.corral.policies.policy.GuardKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import reactor.core.publisher.Mono;

/** Asks the guards, lets the exchange's policy decide, and notes what it decided. */
public final class Judge {

    private static final Duration RETRY_AFTER = Duration.ofSeconds(2);

    private final Panel panel;
    private final Shadows shadows;

    Judge(Panel panel, Shadows shadows) {
        this.panel = panel;
        this.shadows = shadows;
    }

    /** Judges every turn of a request. */
    Mono<Decision> prompt(ModeratedExchange exchange, ModeratedRequest request) {
        return decide(
                exchange,
                exchange.facts(Direction.PROMPT, request.model()),
                request.judgements(),
                request.conversation().turns(),
                Urgency.PROMPT);
    }

    /** Judges what was answered up to now, each choice by itself, as a turn that follows the request. */
    Mono<Decision> answer(ModeratedExchange exchange, ModeratedRequest request, Answer answer) {
        List<Turn> choices = answer.choices().stream()
                .filter(choice -> !choice.parts().isEmpty())
                .toList();
        List<Conversation> judgements = choices.stream()
                .map(request.conversation()::plus)
                .flatMap(answered -> Judgements.ofLast(answered).stream())
                .toList();
        return decide(
                exchange, exchange.facts(Direction.COMPLETION, request.model()), judgements, choices, Urgency.ANSWER);
    }

    private Mono<Decision> decide(
            ModeratedExchange exchange, Facts facts, List<Conversation> judgements, List<Turn> turns, Urgency urgency) {
        CompiledPolicy policy = exchange.policy();
        return panel.assess(judgements, policy, urgency).map(found -> {
            Hearing hearing = Hearing.of(found.judged(), turns);
            Decision decision = weigh(policy, facts, hearing, found.assessments(), found.guards());
            exchange.decided(
                    facts.direction(),
                    decision,
                    () -> hearing.audited(policy, facts.direction(), decision, panel.id(policy), found.assessments()));
            shadows.compare(
                    exchange,
                    facts,
                    decision,
                    panel.looksFor(policy.asked()),
                    shadow -> weigh(shadow, facts, hearing, found.assessments(), found.guards()));
            return decision;
        });
    }

    /** The same of what one guard read. */
    public static Decision weigh(CompiledPolicy policy, Facts facts, Hearing hearing, List<Assessment> assessments) {
        return weigh(
                policy,
                facts,
                hearing,
                assessments,
                assessments.stream().map(_ -> GuardKind.TEXT).toList());
    }

    /**
     * What a policy makes of the guards' assessments, and of what its own patterns find in the texts: in each by itself, and
     * across their borders.
     *
     * @param guards who made each assessment
     */
    static Decision weigh(
            CompiledPolicy policy, Facts facts, Hearing hearing, List<Assessment> assessments, List<GuardKind> guards) {
        List<Evidence> evidence = new ArrayList<>();
        for (int i = 0; i < assessments.size(); i++) {
            Contents judged = hearing.judged().get(i);
            evidence.add(
                    new Evidence(assessments.get(i), judged.sources(), judged.tools(), judged.hash(), guards.get(i)));
        }
        if (!policy.patternHazards().isEmpty()) {
            for (Contents turn : hearing.turns()) {
                for (Contents.Text text : turn.texts()) {
                    policy.match(text.text())
                            .forEach(found -> evidence.add(
                                    new Evidence(found, Set.of(text.source()), text.tools(), turn.hash())));
                }
                if (turn.texts().size() > 1) {
                    policy.match(turn.joined())
                            .forEach(found ->
                                    evidence.add(new Evidence(found, turn.sources(), turn.tools(), turn.hash())));
                }
            }
        }
        return policy.weigh(evidence, facts);
    }

    /** A block in the style of an error; not one that clients retry. */
    static DialectException violation(Decision.Block block) {
        return violation(block.message());
    }

    /** What was to be redacted is still there, such as a number that begins in one part and ends in the next. */
    static DialectException notRedactable() {
        return violation("A part of this content must not pass, and cannot be taken out of it.");
    }

    private static DialectException violation(String message) {
        return new DialectException(
                new GatewayError(400, "invalid_request_error", "content_policy_violation", null, message, null));
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
