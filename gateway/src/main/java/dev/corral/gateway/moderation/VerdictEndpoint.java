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
import dev.corral.gateway.image.ImageIntake;
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
 * Judges texts and images for whoever asks, such as by {@code POST /v1/moderations}: by the policy of the tenant, the one
 * that the request names, that of the route {@value #ROUTE}, or else the default one, and decides nothing for them. Where it
 * has an order before the routes, none of these requests goes to an upstream, which is not the judge here.
 */
public final class VerdictEndpoint extends AbstractHandlerMapping {

    /** The name that policies know it by, as if it were a route. */
    public static final String ROUTE = "moderations";

    private final Dialects dialects;
    private final RequestBody requestBody;
    private final ReactiveGuard guard;
    private final ImageIntake images;
    private final Panel panel;
    private final PolicyRegistry policies;
    private final String defaultPolicy;
    private final ErrorResponses errors;
    private final ExchangeLog exchangeLog;

    /**
     * Judged by what is in force at the time of each request.
     *
     * @param guard that answers are signed with
     * @param defaultPolicy a name in the registry
     */
    VerdictEndpoint(
            Dialects dialects,
            RequestBody requestBody,
            ReactiveGuard guard,
            ImageIntake images,
            Panel panel,
            PolicyRegistry policies,
            String defaultPolicy,
            ErrorResponses errors,
            ExchangeLog exchangeLog) {
        this.dialects = dialects;
        this.requestBody = requestBody;
        this.guard = guard;
        this.images = images;
        this.panel = panel;
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
        CompiledPolicy policy = moderated.policy();
        return images.take(request.inputs(), policy.images())
                .flatMap(inputs -> panel.assess(inputs, policy, Urgency.PROMPT)
                        .map(found -> IntStream.range(0, inputs.size())
                                .mapToObj(i -> verdict(
                                        moderated, request, request.inputs().get(i), found.about(i)))
                                .toList()));
    }

    private Verdict verdict(
            ModeratedExchange moderated, VerdictRequest request, Conversation input, Panel.Verdicts found) {
        CompiledPolicy policy = moderated.policy();
        Hearing hearing = Hearing.of(
                found.judged(), List.of(found.judged().getFirst().turns().getLast()));
        Decision decision = Judge.weigh(
                policy, moderated.facts(request.direction(), ""), hearing, found.assessments(), found.guards());
        moderated.decided(
                request.direction(),
                decision,
                () -> hearing.audited(policy, request.direction(), decision, panel.id(policy), found.assessments()));
        return new Verdict(input, scored(found.assessments(), decision), decision);
    }

    /** What was found; a guard without a verdict leaves one only where the other guard found enough to decide. */
    private static Scored scored(List<Assessment> assessments, Decision decision) {
        List<Scored> scored = assessments.stream()
                .filter(Scored.class::isInstance)
                .map(Scored.class::cast)
                .toList();
        for (Assessment assessment : assessments) {
            if (assessment instanceof Inconclusive inconclusive
                    && (scored.isEmpty() || decision.findings().isEmpty())) {
                throw Judge.withoutVerdict(inconclusive);
            }
        }
        return scored.stream().reduce(Scored::or).orElseThrow();
    }
}
