package dev.corral.gateway.moderation;

import dev.corral.gateway.admission.RequestBody;
import dev.corral.gateway.dialect.openai.ModerationResult;
import dev.corral.gateway.dialect.openai.OpenAiModerations;
import dev.corral.gateway.exchange.ErrorResponses;
import dev.corral.gateway.exchange.ExchangeLog;
import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.gateway.exchange.WireResponses;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.Finding;
import dev.corral.policies.policy.PolicyRegistry;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/**
 * {@code POST /v1/moderations}: judges texts for whoever asks, by the policy of the tenant, of the route {@value #ROUTE}, or
 * else the default one, and decides nothing for them.
 */
public final class ModerationsEndpoint {

    /** The name that policies know it by, as if it were a route. */
    public static final String ROUTE = "moderations";

    private final OpenAiModerations codec = new OpenAiModerations();
    private final RequestBody requestBody;
    private final ReactiveGuard guard;
    private final PolicyRegistry policies;
    private final String defaultPolicy;
    private final ErrorResponses errors;
    private final ExchangeLog exchangeLog;

    /**
     * Judged by what is in force at the time of each request.
     *
     * @param defaultPolicy a name in the registry
     */
    public ModerationsEndpoint(
            RequestBody requestBody,
            ReactiveGuard guard,
            PolicyRegistry policies,
            String defaultPolicy,
            ErrorResponses errors,
            ExchangeLog exchangeLog) {
        this.requestBody = requestBody;
        this.guard = guard;
        this.policies = policies;
        this.defaultPolicy = defaultPolicy;
        this.errors = errors;
        this.exchangeLog = exchangeLog;
    }

    /** Answers one request. */
    public Mono<Void> handle(ServerWebExchange exchange) {
        exchange.getAttributes().put(ModeratedExchange.ENDPOINT, ROUTE);
        CompiledPolicy policy = policies.resolve(
                ModeratedExchange.tenant(exchange), ModeratedExchange.route(exchange), Optional.empty(), defaultPolicy);
        ModeratedExchange moderated = ModeratedExchange.begin(exchange, policy);
        return exchangeLog
                .admit()
                .then(Mono.defer(() -> requestBody.read(exchange.getRequest())))
                .map(codec::read)
                .flatMap(request -> guard.assess(
                                request.inputs(),
                                moderated.policy().asked(),
                                Urgency.PROMPT,
                                moderated.policy().textGuard().timeout())
                        .map(assessments -> IntStream.range(0, assessments.size())
                                .mapToObj(
                                        i -> result(moderated, request.inputs().get(i), assessments.get(i)))
                                .toList()))
                .flatMap(results -> WireResponses.write(
                        exchange.getResponse(),
                        codec.write(moderated.id(), guard.profile().id(), results)))
                .onErrorResume(_ -> !exchange.getResponse().isCommitted(), failure -> errors.handle(exchange, failure))
                .doFinally(signal -> exchangeLog.finished(exchange, moderated, signal));
    }

    private ModerationResult result(ModeratedExchange moderated, Conversation input, Assessment assessment) {
        Hearing hearing = Hearing.of(List.of(input), input.turns());
        Decision decision =
                Judge.weigh(moderated.policy(), moderated.facts(Direction.PROMPT, ""), hearing, List.of(assessment));
        moderated.decided(
                Direction.PROMPT,
                decision,
                () -> hearing.audited(
                        moderated.policy(),
                        Direction.PROMPT,
                        decision,
                        guard.profile().id(),
                        List.of(assessment)));
        return switch (assessment) {
            case Inconclusive inconclusive -> throw Judge.withoutVerdict(inconclusive);
            case Scored scored ->
                new ModerationResult(
                        scored,
                        decision.findings().stream().map(Finding::hazard).collect(Collectors.toSet()),
                        !(decision instanceof Decision.Allow));
        };
    }
}
