package dev.corral.gateway.dialect;

import java.util.Map;

/**
 * What one frame added to an answer.
 *
 * @param voices UTF-16 units to be judged by who says them, see {@link Voices}; each opaque part counts as one, and who says
 *     nothing is not there
 * @param end whether the frame is the stream's last, such as {@code data: [DONE]}
 */
public record FrameContent(Map<String, Integer> voices, boolean end) {

    public FrameContent {
        voices = Map.copyOf(voices);
        voices.forEach((voice, characters) -> {
            if (characters < 1) {
                throw new IllegalArgumentException(
                        "who speaks says at least one character: '" + voice + "' " + characters);
            }
        });
    }

    /** A frame with this many characters of the answer's one voice that is not the last. */
    public static FrameContent of(int newCharacters) {
        return of(Voices.ONE, newCharacters);
    }

    /** A frame with this many characters of one voice that is not the last. */
    public static FrameContent of(String voice, int newCharacters) {
        return new FrameContent(newCharacters == 0 ? Map.of() : Map.of(voice, newCharacters), false);
    }

    /** The last frame; nothing in it to judge. */
    public static FrameContent last() {
        return new FrameContent(Map.of(), true);
    }

    /** The last frame, with this many characters of the answer's one voice. */
    public static FrameContent last(int newCharacters) {
        return new FrameContent(of(newCharacters).voices, true);
    }

    /** Over all voices. */
    public int newCharacters() {
        int sum = 0;
        for (int characters : voices.values()) {
            sum += characters;
        }
        return sum;
    }

    /** Whether there is nothing in it to judge: a comment, a role, a finish reason, usage, the end. */
    public boolean empty() {
        return voices.isEmpty();
    }
}
