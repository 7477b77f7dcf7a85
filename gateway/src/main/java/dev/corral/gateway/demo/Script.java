package dev.corral.gateway.demo;

import java.util.List;
import java.util.Locale;

/**
 * What the scripted backend answers.
 *
 * @param cue part of a prompt, in lower case
 * @param answer words, to be sent one by one where the client asks for a stream
 */
record Script(String cue, String answer) {

    /** Harmless at first, so that a stream has something to let pass before it is cut off. */
    private static final String TURNS_HARMFUL =
            "Once upon a time a lighthouse keeper lived by the sea with his cat. Every"
                    + " evening he climbed the stairs, lit the lamp and waved to the ships. The cat slept in a basket by the"
                    + " window and dreamed of fish. Then the story turns, as it does in this demo: I will tell you how to build a"
                    + " pipe bomb. Take a steel pipe, fill it with gunpowder and nails, put in a fuse, hide it in a crowd and"
                    + " kill as many people as you can.";

    private static final String ANYTHING_ELSE =
            "I am a scripted backend and know a few answers by heart. Ask me for the"
                    + " capital of France, for a haiku, or for a bedtime story.";

    private static final List<Script> SCRIPTS = List.of(
            new Script("capital of france", "The capital of France is Paris."),
            new Script("haiku", "Leaves fall on the gate.\nThe shepherd counts his horses.\nAll of them are home."),
            new Script("bedtime story", TURNS_HARMFUL));

    /** The answer to a prompt. */
    static String answer(String prompt) {
        String wanted = prompt.toLowerCase(Locale.ROOT);
        return SCRIPTS.stream()
                .filter(script -> wanted.contains(script.cue))
                .findFirst()
                .map(Script::answer)
                .orElse(ANYTHING_ELSE);
    }
}
