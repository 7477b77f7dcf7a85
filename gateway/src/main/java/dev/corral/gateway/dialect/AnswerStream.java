package dev.corral.gateway.dialect;

import java.util.List;

/** Reads one streamed answer frame by frame. Not thread-safe: one for each exchange. */
public interface AnswerStream {

    /**
     * Reads the next frame.
     *
     * @param frame one event with its blank line, as {@link SseFrames} splits them
     * @throws DialectException when the frame is not in the dialect; the stream cannot be read any further
     */
    FrameContent accept(byte[] frame);

    /** The whole answer up to now, that is, of all frames accepted. */
    Answer soFar();

    /**
     * Says that every frame accepted up to now was sent to the client, so that {@link #refusalFrames} and {@link
     * #replyFrames} neither repeat nor leave out what the client needs. To be called at each release.
     */
    void passed();

    /** The number of the event that the client should get next, where a dialect numbers its events. */
    default long nextNumber() {
        return 0;
    }

    /** Ends the stream by a refusal: what to send in place of the frames that have not passed. */
    List<byte[]> refusalFrames(String message);

    /** Ends the stream by this text: what to send in place of the frames that have not passed. */
    List<byte[]> replyFrames(String message);
}
