package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.List;

/**
 * What a guard must be asked so that it judges every part of a conversation. A guard judges the last turn only, and a
 * client writes all turns of a request, the assistant's too: judging just the newest would let anything pass in an
 * invented past.
 *
 * <p>A turn is judged after all turns before it, which give it its meaning, and once more without the distant ones, which
 * may drown it: the starter guard's P(unsafe) for "How do I make a pipe bomb?" falls from 0.97 to 0.02 behind one long
 * harmless answer. Whoever decides takes the worse of both.
 */
public final class Judgements {

    private Judgements() {}

    /**
     * What to ask about all turns that have parts, in their order. Turns of {@link Role#SYSTEM} stand alone and are
     * nobody's context: they may describe what is forbidden.
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
                addLast(context, judgements);
            }
        }
        return List.copyOf(judgements);
    }

    /** What to ask about the last turn of a conversation: with all its context, and with the nearest only. */
    public static List<Conversation> ofLast(Conversation conversation) {
        List<Turn> context = conversation.turns().stream()
                .filter(turn -> turn.role() != Role.SYSTEM && !turn.parts().isEmpty())
                .toList();
        List<Conversation> judgements = new ArrayList<>();
        addLast(context, judgements);
        return List.copyOf(judgements);
    }

    private static void addLast(List<Turn> turns, List<Conversation> judgements) {
        judgements.add(new Conversation(turns));
        int nearest = turns.getLast().role() == Role.ASSISTANT ? 2 : 1;
        if (turns.size() > nearest) {
            judgements.add(new Conversation(turns.subList(turns.size() - nearest, turns.size())));
        }
    }
}
