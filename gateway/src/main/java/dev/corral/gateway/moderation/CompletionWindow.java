package dev.corral.gateway.moderation;

import dev.corral.gateway.dialect.FrameContent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Holds the frames of a streamed answer until they were judged. It does no work of its own: it says when to judge, and
 * hands out frames. One for each exchange, and no frame is offered while a judgement is due. A client may go away at any
 * moment, on a thread of its own: {@link #drop} is safe at any time, and whatever comes after it is dropped, too.
 */
public final class CompletionWindow {

    /*
     * Invariant
     * ---------
     * No character leaves before a window that holds it was judged. A frame with text to judge is always held; the only
     * ways out are release(), after a judgement of everything accepted so far, and drop(). A frame without text may pass
     * at once, but never past a held one: frames leave in the order in which they came, byte for byte.
     *
     * Trade-offs
     * ----------
     * Latency against cost. A window of n characters means a judgement every n characters, and the reader sees text in
     * steps of n. The first window is smaller, because the wait for the first words is the one that people notice. A
     * window is full at or after n characters: frames are indivisible, since cutting one would mean to write JSON anew,
     * and the client should get the bytes of the upstream.
     *
     * What has left cannot be taken back. A harmless beginning of a harmful answer is out when a later window is blocked.
     * A larger window shows less of it; a window larger than every answer shows nothing, and then it is not a stream.
     *
     * Voices. Several choices, and several calls of tools within one, come in turns, a few characters each. Each has a
     * window of its own, so that one that says little is not judged because others say much; the judgement is of all, as
     * frames leave in their order. And time has a window: where text comes slowly, it is judged so long after it came.
     *
     * Attacks resisted
     * ----------------
     * - Spreading: harmful text in pieces that are harmless by themselves, or across the border of two windows. What is
     *   judged is the whole answer so far, with the request as its context, and never a window alone; windows only say
     *   when.
     * - The short tail: fewer characters than a window at the very end. The end makes a judgement due whatever is held,
     *   both with the dialect's last frame and when the connection just ends.
     * - Starvation: one character, then comments or empty deltas without end, so that the held frames grow while no window
     *   fills up. Held frames without text are bounded by number, all of them by bytes, and at the bound a judgement is
     *   due. The bound of bytes is far above what a model's frames need, so that a large window stays what it says.
     * - Many voices: each has a window at most, and all of them together the bound of bytes.
     * - Text where nobody looks: reasoning, refusals, arguments of tools and fields that nobody knows count as characters
     *   like any others; the dialect sees to that.
     */

    /** With so many frames held that have no text, a judgement is due. */
    static final int MAX_HELD_EMPTY_FRAMES = 1_024;

    /** With so many bytes held, a judgement is due: some ten thousand tokens in frames of their own. */
    static final int MAX_HELD_BYTES = 16 << 20;

    private final int window;
    private final List<byte[]> held = new ArrayList<>();
    private final Map<String, Integer> unjudged = new HashMap<>();
    private int due;
    private int heldEmptyFrames;
    private long heldBytes;
    private long heldCharacters;
    private long mostHeldCharacters;
    private int windows;
    private long releasedCharacters;
    private long withheldCharacters;
    private State state = State.OPEN;

    private enum State {
        OPEN,
        JUDGING,
        CLOSED
    }

    /** What to do after a frame. */
    public sealed interface Step {

        /** Send these frames now; possibly none. */
        record Release(List<byte[]> frames) implements Step {

            public Release {
                frames = List.copyOf(frames);
            }
        }

        /** Send nothing; go on reading. */
        record Hold() implements Step {}

        /** Judge the whole answer so far, then {@link #release} or {@link #drop}; read nothing meanwhile. */
        record Judge(Reason reason) implements Step {}
    }

    /** Why a judgement is due. */
    public enum Reason {
        /** So many characters of one voice are held as the first window has. */
        FIRST_WINDOW,
        /** So many characters of one voice are held as a window has. */
        WINDOW,
        /** What is held has waited as long as it may. */
        TIME,
        /** As much is held as may be, though few characters of it are text. */
        BACKLOG,
        /** The answer is over. */
        END
    }

    /**
     * A window for one answer.
     *
     * @param firstWindow characters of one voice to hold before the first judgement, at least 1
     * @param window characters to hold before each further one, at least 1
     */
    public CompletionWindow(int firstWindow, int window) {
        if (firstWindow < 1 || window < 1) {
            throw new IllegalArgumentException(
                    "windows must be at least 1 character: first window " + firstWindow + ", window " + window);
        }
        this.window = window;
        this.due = firstWindow;
    }

    /**
     * Takes the next frame.
     *
     * @param frame as it came; not to be changed afterwards
     * @param content what the dialect found in it
     */
    public synchronized Step offer(byte[] frame, FrameContent content) {
        if (state == State.CLOSED) {
            withheldCharacters += content.newCharacters();
            return new Step.Hold();
        }
        expect(State.OPEN);
        if (content.empty() && held.isEmpty()) {
            return new Step.Release(List.of(frame));
        }
        held.add(frame);
        heldEmptyFrames += content.empty() ? 1 : 0;
        heldBytes += frame.length;
        heldCharacters += content.newCharacters();
        mostHeldCharacters = Math.max(mostHeldCharacters, heldCharacters);
        boolean full = false;
        for (Map.Entry<String, Integer> voice : content.voices().entrySet()) {
            full |= unjudged.merge(voice.getKey(), voice.getValue(), Integer::sum) >= due;
        }
        if (content.end()) {
            return judge(Reason.END);
        }
        if (full) {
            return judge(windows > 0 ? Reason.WINDOW : Reason.FIRST_WINDOW);
        }
        if (heldEmptyFrames >= MAX_HELD_EMPTY_FRAMES || heldBytes >= MAX_HELD_BYTES) {
            return judge(Reason.BACKLOG);
        }
        return new Step.Hold();
    }

    /**
     * So long as may be has passed since something came to be held.
     *
     * @param number of the window in which that was, see {@link #windows}; where it was judged meanwhile, all is well
     */
    public synchronized Step elapsed(int number) {
        if (state == State.CLOSED || number != windows || held.isEmpty()) {
            return new Step.Hold();
        }
        expect(State.OPEN);
        return judge(Reason.TIME);
    }

    /** The upstream will send nothing more: what is held is due, with or without a last frame. */
    public synchronized Step end() {
        if (state == State.CLOSED) {
            return new Step.Hold();
        }
        expect(State.OPEN);
        return held.isEmpty() ? new Step.Release(List.of()) : judge(Reason.END);
    }

    /** The judgement lets everything pass: the held frames, in their order. */
    public synchronized List<byte[]> release() {
        if (state == State.CLOSED) {
            return List.of();
        }
        expect(State.JUDGING);
        List<byte[]> frames = List.copyOf(held);
        releasedCharacters += heldCharacters;
        windows++;
        empty();
        due = window;
        state = State.OPEN;
        return frames;
    }

    /** The answer ends here, by a judgement, a failure or because the client went away: the held frames are gone. */
    public synchronized void drop() {
        withheldCharacters += heldCharacters;
        empty();
        state = State.CLOSED;
    }

    /** Characters that were judged and handed out. */
    public synchronized long releasedCharacters() {
        return releasedCharacters;
    }

    /** Characters that wait. */
    public synchronized long heldCharacters() {
        return heldCharacters;
    }

    /** The most characters that waited at one time. */
    public synchronized long mostHeldCharacters() {
        return mostHeldCharacters;
    }

    /** So many windows were released. */
    public synchronized int windows() {
        return windows;
    }

    /** Characters that were dropped. */
    public synchronized long withheldCharacters() {
        return withheldCharacters;
    }

    private Step judge(Reason reason) {
        state = State.JUDGING;
        return new Step.Judge(reason);
    }

    private void empty() {
        held.clear();
        unjudged.clear();
        heldEmptyFrames = 0;
        heldBytes = 0;
        heldCharacters = 0;
    }

    private void expect(State expected) {
        if (state != expected) {
            throw new IllegalStateException("the window is " + state + ", which should be " + expected);
        }
    }
}
