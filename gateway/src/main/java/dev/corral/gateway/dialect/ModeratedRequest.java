package dev.corral.gateway.dialect;

import dev.corral.guardmodels.conversation.Conversation;

/**
 * A request, as far as moderation needs it.
 *
 * @param conversation everything that was sent, each part with its place; what cannot be read is an opaque part
 * @param model as the client named it; empty where it named none
 * @param stream whether the client wants the answer as a stream of events
 */
public record ModeratedRequest(Conversation conversation, String model, boolean stream) {

    /** The same request with a conversation of which more is known. */
    public ModeratedRequest with(Conversation known) {
        return new ModeratedRequest(known, model, stream);
    }
}
