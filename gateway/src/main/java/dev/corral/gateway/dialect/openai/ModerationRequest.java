package dev.corral.gateway.dialect.openai;

import dev.corral.guardmodels.conversation.Conversation;
import java.util.List;

/**
 * A request to judge texts.
 *
 * @param model as the client named it; empty where it named none
 * @param inputs one for each result, in order: a turn of the user each
 */
public record ModerationRequest(String model, List<Conversation> inputs) {

    public ModerationRequest {
        inputs = List.copyOf(inputs);
    }
}
