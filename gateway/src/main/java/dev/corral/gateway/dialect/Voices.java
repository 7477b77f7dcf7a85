package dev.corral.gateway.dialect;

import java.util.HashMap;
import java.util.Map;
import java.util.function.IntSupplier;

/**
 * Who says how much of what a frame adds. Each choice is a voice of its own, and so is each call of a tool, which may come
 * in fragments beside others. Not thread-safe: one for each stream.
 */
public final class Voices {

    /** The voice of an answer that has but one, and of the first choice. */
    public static final String ONE = "";

    private final Map<String, Integer> heard = new HashMap<>();
    private int sum;

    /** The voice of a choice. */
    public static String ofChoice(int index) {
        return index == 0 ? ONE : "choices[" + index + "]";
    }

    /**
     * Reads what a voice says, with what others say within it.
     *
     * @param reading tells how much there is new to judge, and may hear voices itself
     * @return the same
     */
    public int hear(String voice, IntSupplier reading) {
        int before = sum;
        int added = reading.getAsInt();
        int own = added - (sum - before);
        if (own > 0) {
            heard.merge(voice, own, Integer::sum);
            sum += own;
        }
        return added;
    }

    /**
     * What a frame added; the next one begins anew.
     *
     * @param added by all voices; what none of them is known to say is the first one's
     */
    public FrameContent content(int added, boolean end) {
        hear(ONE, () -> added - sum);
        FrameContent content = new FrameContent(heard, end);
        heard.clear();
        sum = 0;
        return content;
    }
}
