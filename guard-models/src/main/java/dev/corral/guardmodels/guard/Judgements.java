package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.List;

/**
 * What a guard must be asked so that it judges every part of a conversation exactly once. A guard judges the last turn
 * only, and a client writes all turns of a request, the assistant's too: judging just the newest would let anything pass
 * in an invented past.
 */
public final class Judgements {

    private Judgements() {}

    /**
     * One conversation for each turn that has parts, in their order, with that turn as its last one and the turns before
     * it as context. Turns of {@link Role#SYSTEM} stand alone and are nobody's context: they may describe what is
     * forbidden.
     */
    public static List<Conversation> of(Conversation conversation) {
        List<Conversation> judgements = new ArrayList<>();
        List<Turn> context = new ArrayList<>();
        for (Turn turn : conversation.turns()) {
            if (turn.parts().isEmpty()) {
                continue;
            }
            if (turn.role() == Role.SYSTEM) {
                judgements.add(new Conversation(List.of(turn)));
            } else {
                context.add(turn);
                judgements.add(new Conversation(context));
            }
        }
        return List.copyOf(judgements);
    }
}
