package dev.corral.gateway.moderation;

import dev.corral.gateway.admission.RequestBody;
import dev.corral.gateway.dialect.Dialects;
import dev.corral.gateway.dialect.Verdict;
import dev.corral.gateway.dialect.VerdictDialect;
import dev.corral.gateway.dialect.VerdictRequest;
import dev.corral.gateway.dialect.llamastack.LlamaStackShields;
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
import dev.corral.policies.policy.PolicyRegistry;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.springframework.http.HttpMethod;
import org.springframework.web.reactive.handler.AbstractHandlerMapping;
import org.springframework.web.server.MethodNotAllowedException;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebHandler;
import reactor.core.publisher.Mono;

/**
 * Judges texts for whoever asks, such as by {@code POST /v1/moderations}: by the policy of the tenant, the one that the
 * request names, that of the route {@value #ROUTE}, or else the default one, and decides nothing for them. Where it has an order before the routes, none of these requests goes to an upstream, which is not the judge here.
 */
public final class VerdictEndpoint extends AbstractHandlerMapping {

    /** The name that policies know it by, as if it were a route. */
    public static final String ROUTE = "moderations";

    private final Dialects dialects;
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
    public VerdictEndpoint(
            Dialects dialects,
            RequestBody requestBody,
            ReactiveGuard guard,
            PolicyRegistry policies,
            String defaultPolicy,
            ErrorResponses errors,
            ExchangeLog exchangeLog) {
        this.dialects = dialects;
        this.requestBody = requestBody;
        this.guard = guard;
        this.policies = policies;
        this.defaultPolicy = defaultPolicy;
        this.errors = errors;
        this.exchangeLog = exchangeLog;
    }

    @Override
    protected Mono<WebHandler> getHandlerInternal(ServerWebExchange exchange) {
        return Mono.justOrEmpty(dialects.verdictsAt(
                        exchange.getRequest().getPath().pathWithinApplication().value()))
                .map(dialect -> asking -> handle(asking, dialect));
    }

    private Mono<Void> handle(ServerWebExchange exchange, VerdictDialect dialect) {
        HttpMethod method = exchange.getRequest().getMethod();
        if (!method.equals(HttpMethod.POST)) {
            return Mono.error(new MethodNotAllowedException(method, List.of(HttpMethod.POST)));
        }
        String query = exchange.getRequest().getURI().getRawQuery();
        exchange.getAttributes().put(ModeratedExchange.ENDPOINT, ROUTE);
        ModeratedExchange moderated = ModeratedExchange.begin(exchange, resolve(exchange, Optional.empty()));
        return exchangeLog
                .admit()
                .then(Mono.defer(() -> requestBody.read(exchange.getRequest())))
                .map(body -> dialect.read(body, query == null ? "" : query))
                .doOnNext(request -> request.policy().ifPresent(name -> moderated.governedBy(named(exchange, name))))
                .flatMap(request -> verdicts(moderated, request)
                        .flatMap(verdicts -> WireResponses.write(
                                exchange.getResponse(),
                                dialect.write(
                                        request,
                                        moderated.id(),
                                        guard.profile().id(),
                                        verdicts,
                                        new PolicyRedactor(
                                                moderated.policy(),
                                                moderated.facts(request.direction(), request.model()))))))
                .onErrorResume(_ -> !exchange.getResponse().isCommitted(), failure -> errors.handle(exchange, failure))
                .doFinally(signal -> exchangeLog.finished(exchange, moderated, signal));
    }

    /** The policy that a client names; one that is its tenant's on every route stays in force. */
    private CompiledPolicy named(ServerWebExchange exchange, String name) {
        if (policies.find(name).isEmpty()) {
            throw LlamaStackShields.unknown(name, 400, policies.names());
        }
        return resolve(exchange, Optional.of(name));
    }

    private CompiledPolicy resolve(ServerWebExchange exchange, Optional<String> name) {
        return policies.resolve(
                ModeratedExchange.tenant(exchange), ModeratedExchange.route(exchange), name, defaultPolicy);
    }

    private Mono<List<Verdict>> verdicts(ModeratedExchange moderated, VerdictRequest request) {
        return guard.assess(
                        request.inputs(),
                        moderated.policy().asked(),
                        Urgency.PROMPT,
                        moderated.policy().textGuard().timeout())
                .map(assessments -> IntStream.range(0, assessments.size())
                        .mapToObj(i ->
                                verdict(moderated, request, request.inputs().get(i), assessments.get(i)))
                        .toList());
    }

    private Verdict verdict(
            ModeratedExchange moderated, VerdictRequest request, Conversation input, Assessment assessment) {
        Hearing hearing = Hearing.of(List.of(input), List.of(input.turns().getLast()));
        Decision decision =
                Judge.weigh(moderated.policy(), moderated.facts(request.direction(), ""), hearing, List.of(assessment));
        moderated.decided(
                request.direction(),
                decision,
                () -> hearing.audited(
                        moderated.policy(),
                        request.direction(),
                        decision,
                        guard.profile().id(),
                        List.of(assessment)));
        return switch (assessment) {
            case Inconclusive inconclusive -> throw Judge.withoutVerdict(inconclusive);
            case Scored scored -> new Verdict(input, scored, decision);
        };
    }
}
