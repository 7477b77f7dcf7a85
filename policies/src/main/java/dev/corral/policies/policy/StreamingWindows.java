package dev.corral.policies.policy;

import java.time.Duration;
import java.util.Optional;

/**
 * How much of a streamed answer is held until it was judged. Each judgement looks at the whole answer so far.
 *
 * @param firstWindow characters of the first window; small, so that the answer starts soon
 * @param window characters of each later window
 * @param every the longest that text waits before it is judged, however little there is of it; empty for no limit
 */
public record StreamingWindows(int firstWindow, int window, Optional<Duration> every) {

    /**
     * What a token counts as. Llama's tokenizer has some 4 characters for each token of English text; fewer for most other
     * languages and for code, where a window of so many tokens holds a few more of them.
     */
    static final int CHARACTERS_PER_TOKEN = 4;

    static final StreamingWindows DEFAULT = new StreamingWindows(60, 200);

    public StreamingWindows {
        if (firstWindow < 1 || window < 1) {
            throw new IllegalArgumentException(
                    "windows must be at least 1 character: first " + firstWindow + ", later " + window);
        }
        every.ifPresent(time -> {
            if (time.isNegative() || time.isZero()) {
                throw new IllegalArgumentException("text must wait for some time: " + time);
            }
        });
    }

    /** Windows by characters only. */
    StreamingWindows(int firstWindow, int window) {
        this(firstWindow, window, Optional.empty());
    }
}
