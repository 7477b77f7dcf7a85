package dev.corral.gateway.dialect;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Judgements;
import java.util.List;

/**
 * A request, as far as moderation needs it.
 *
 * @param conversation everything that was sent, each part with its place; what cannot be read is an opaque part
 * @param model as the client named it; empty where it named none
 * @param stream whether the client wants the answer as a stream of events
 * @param separate whether the turns have nothing to do with each other, such as texts to be embedded
 */
public record ModeratedRequest(Conversation conversation, String model, boolean stream, boolean separate) {

    /** A request whose turns are one conversation. */
    public ModeratedRequest(Conversation conversation, String model, boolean stream) {
        this(conversation, model, stream, false);
    }

    /** The same request with a conversation of which more is known. */
    public ModeratedRequest with(Conversation known) {
        return new ModeratedRequest(known, model, stream, separate);
    }

    /** What a guard must be asked, so that it judges every part. */
    public List<Conversation> judgements() {
        return separate
                ? conversation.turns().stream()
                        .map(turn -> new Conversation(List.<Turn>of(turn)))
                        .toList()
                : Judgements.of(conversation);
    }
}
