package dev.corral.gateway.dialect;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.policies.policy.Direction;
import java.util.List;

/**
 * A request for verdicts.
 *
 * @param model as the client named it; empty where it named none
 * @param direction which way the texts travel: prompts, or completions
 * @param inputs one for each verdict, in order; the last turn of each is judged, and those before are its context
 * @param query the request's parameters, for whoever writes the response
 */
public record VerdictRequest(String model, Direction direction, List<Conversation> inputs, String query) {

    public VerdictRequest {
        inputs = List.copyOf(inputs);
    }
}
