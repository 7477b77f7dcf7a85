package dev.corral.gateway.dialect;

import dev.corral.guardmodels.conversation.Turn;
import java.util.List;

/**
 * What an upstream answered.
 *
 * @param choices one turn of the assistant for each choice, by index; what belongs to no choice (the message of an error,
 *     a field that nobody knows) is a last turn of its own
 */
public record Answer(List<Turn> choices) {

    public Answer {
        choices = List.copyOf(choices);
    }
}
