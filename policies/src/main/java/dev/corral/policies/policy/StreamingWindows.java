package dev.corral.policies.policy;

/**
 * How much of a streamed answer is held until it was judged. Each judgement looks at the whole answer so far.
 *
 * @param firstWindow characters of the first window; small, so that the answer starts soon
 * @param window characters of each later window
 */
public record StreamingWindows(int firstWindow, int window) {

    static final StreamingWindows DEFAULT = new StreamingWindows(60, 200);

    public StreamingWindows {
        if (firstWindow < 1 || window < 1) {
            throw new IllegalArgumentException(
                    "windows must be at least 1 character: first " + firstWindow + ", later " + window);
        }
    }
}
