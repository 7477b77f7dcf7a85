package dev.corral.gateway.dialect;

/**
 * What one frame added to an answer.
 *
 * @param newCharacters UTF-16 units to be judged, over all choices; each opaque part counts as one
 * @param end whether the frame is the stream's last, such as {@code data: [DONE]}
 * @param empty whether there is nothing in it to judge: a comment, a role, a finish reason, usage, the end
 */
public record FrameContent(int newCharacters, boolean end, boolean empty) {

    public FrameContent {
        if (newCharacters < 0) {
            throw new IllegalArgumentException("a frame cannot take characters back: " + newCharacters);
        }
        if (empty != (newCharacters == 0)) {
            throw new IllegalArgumentException("a frame is empty exactly when it has no new characters");
        }
    }

    /** A frame with this many characters to judge that is not the last. */
    public static FrameContent of(int newCharacters) {
        return new FrameContent(newCharacters, false, newCharacters == 0);
    }

    /** The last frame; nothing in it to judge. */
    public static FrameContent last() {
        return new FrameContent(0, true, true);
    }
}
