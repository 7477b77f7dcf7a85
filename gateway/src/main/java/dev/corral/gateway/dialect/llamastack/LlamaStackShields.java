package dev.corral.gateway.dialect.llamastack;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.Paths;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.Verdict;
import dev.corral.gateway.dialect.VerdictDialect;
import dev.corral.gateway.dialect.VerdictRequest;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Judgements;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code POST /v1/safety/run-shield}: each policy is a shield by its name, and Llama Guard by any of its names is the policy
 * that applies otherwise. All messages are judged, and the strictest decision is told: {@code error} where the content must not pass, {@code warn} where it is flagged.
 */
public final class LlamaStackShields implements VerdictDialect {

    private static final String SHIELD = "shield_id";
    private static final int MAX_SHIELD_NAME = 256;

    /** As clients know the guard, such as {@code llama-guard} or {@code meta-llama/Llama-Guard-3-8B}. */
    private static final Pattern LLAMA_GUARD = Pattern.compile(".*llama[-_ ]?guard.*", Pattern.CASE_INSENSITIVE);

    /** A shield cannot take anything out of what it is shown. */
    private static final String REDACTED = "A part of this content must not pass.";

    @Override
    public boolean serves(String path) {
        return Paths.ends(path, "/safety/run-shield");
    }

    /** What is not known is opaque, and the policy decides. */
    @Override
    public VerdictRequest read(byte[] body, String query) {
        Fields fields = new Fields(StrictJson.request(body), "");
        String shield = fields.name(SHIELD, MAX_SHIELD_NAME);
        fields.take("params");
        Conversation conversation = new Conversation(LlamaStackContent.messages(fields));
        List<Part> rest = fields.rest();
        Conversation whole = rest.isEmpty() ? conversation : conversation.plus(new Turn(Role.SYSTEM, rest));
        Direction direction =
                conversation.turns().getLast().role() == Role.ASSISTANT ? Direction.COMPLETION : Direction.PROMPT;
        return new VerdictRequest(shield, direction, Judgements.of(whole), query, policy(shield));
    }

    @Override
    public WireResponse write(VerdictRequest request, String exchangeId, String guard, List<Verdict> verdicts) {
        ObjectNode response = JsonNodeFactory.instance.objectNode();
        Optional<Decision> strictest =
                verdicts.stream().map(Verdict::decision).max(Comparator.comparing(Decision::outcome));
        response.putNull("violation");
        strictest.ifPresent(decision -> {
            switch (decision) {
                case Decision.Allow _ -> {}
                case Decision.Flag flag -> violation(response, "warn", null, flag);
                case Decision.Redact redact -> violation(response, "error", REDACTED, redact);
                case Decision.Respond respond -> violation(response, "error", respond.message(), respond);
                case Decision.Block block -> violation(response, "error", block.message(), block);
                case Decision.Unavailable unavailable ->
                    violation(response, "error", unavailable.message(), unavailable);
            }
        });
        return WireResponse.json(200, Map.of(), response);
    }

    @Override
    public WireResponse error(GatewayError error) {
        return LlamaStackErrors.response(error);
    }

    /** The policy that a shield is; empty for Llama Guard, which is the one that applies otherwise. */
    public static Optional<String> policy(String shield) {
        return LLAMA_GUARD.matcher(shield).matches() ? Optional.empty() : Optional.of(shield);
    }

    /** There is no shield of this name. */
    public static DialectException unknown(String shield, int status, Collection<String> policies) {
        return new DialectException(new GatewayError(
                status,
                "invalid_request_error",
                "unknown_shield",
                SHIELD,
                "there is no shield '" + Words.shortened(shield) + "'; a shield is llama-guard, or a policy: "
                        + String.join(", ", policies),
                null));
    }

    /** The shields that there are, as {@code GET /v1/shields} lists them: one for each policy. */
    public WireResponse list(Collection<String> policies, String guard) {
        ObjectNode list = JsonNodeFactory.instance.objectNode();
        ArrayNode data = list.putArray("data");
        policies.forEach(policy -> data.add(shield(policy, guard)));
        return WireResponse.json(200, Map.of(), list);
    }

    /** One shield, as {@code GET /v1/shields/…} describes it. */
    public WireResponse describe(String identifier, String guard) {
        return WireResponse.json(200, Map.of(), shield(identifier, guard));
    }

    private static void violation(ObjectNode response, String level, @Nullable String message, Decision decision) {
        ObjectNode violation = response.putObject("violation").put("violation_level", level);
        violation.put("user_message", message);
        ObjectNode metadata = violation.putObject("metadata");
        decision.findings().stream()
                .findFirst()
                .ifPresent(finding ->
                        metadata.put("violation_type", finding.hazard().code()));
    }

    private static ObjectNode shield(String identifier, String guard) {
        ObjectNode shield = JsonNodeFactory.instance
                .objectNode()
                .put("identifier", identifier)
                .put("provider_resource_id", guard)
                .put("provider_id", "corral")
                .put("type", "shield");
        shield.putObject("params");
        return shield;
    }
}
