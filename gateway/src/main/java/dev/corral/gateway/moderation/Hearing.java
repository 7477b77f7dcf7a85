package dev.corral.gateway.moderation;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Turn;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.Function;

/**
 * What there is to decide about. Each turn is taken apart once, however many policies decide and however often a guard was
 * asked about it.
 *
 * @param judged the last turn of each conversation that a guard was asked about
 * @param turns all that was said
 */
public record Hearing(List<Contents> judged, List<Contents> turns) {

    public Hearing {
        judged = List.copyOf(judged);
        turns = List.copyOf(turns);
    }

    /**
     * Of what a guard was asked.
     *
     * @param turns that patterns are looked for in
     */
    public static Hearing of(List<Conversation> judgements, List<Turn> turns) {
        IdentityHashMap<Turn, Contents> known = new IdentityHashMap<>();
        Function<Turn, Contents> contents = turn -> known.computeIfAbsent(turn, Contents::of);
        return new Hearing(
                judgements.stream()
                        .map(judgement -> contents.apply(judgement.turns().getLast()))
                        .toList(),
                turns.stream().map(contents).toList());
    }
}
