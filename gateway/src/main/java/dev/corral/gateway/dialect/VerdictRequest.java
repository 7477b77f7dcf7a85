package dev.corral.gateway.dialect;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.policies.policy.Direction;
import java.util.List;
import java.util.Optional;

/**
 * A request for verdicts.
 *
 * @param model as the client named it; empty where it named none
 * @param direction which way the texts travel: prompts, or completions
 * @param inputs one for each verdict, in order; the last turn of each is judged, and those before are its context
 * @param query the request's parameters, for whoever writes the response
 * @param policy by whose rules the client wants it judged; empty where it names none
 */
public record VerdictRequest(
        String model, Direction direction, List<Conversation> inputs, String query, Optional<String> policy) {

    /** A request that names no policy. */
    public VerdictRequest(String model, Direction direction, List<Conversation> inputs, String query) {
        this(model, direction, inputs, query, Optional.empty());
    }

    public VerdictRequest {
        inputs = List.copyOf(inputs);
    }
}
