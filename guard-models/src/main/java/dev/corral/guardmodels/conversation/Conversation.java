package dev.corral.guardmodels.conversation;

import java.util.List;
import java.util.stream.Stream;

/** Turns, oldest first; any roles in any order. */
public record Conversation(List<Turn> turns) {

    public Conversation {
        turns = List.copyOf(turns);
    }

    /** This conversation with one turn more. */
    public Conversation plus(Turn turn) {
        return new Conversation(Stream.concat(turns.stream(), Stream.of(turn)).toList());
    }
}
