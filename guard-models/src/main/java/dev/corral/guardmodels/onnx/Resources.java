package dev.corral.guardmodels.onnx;

/**
 * What of the machine a model may use.
 *
 * @param lanes calls that may be at work at once, at least 1
 * @param threads of one call, at least 1; what the other lanes leave idle is used as well
 * @param cacheBytes memory for the keys and values of what was read, beyond what the lanes at work need; 0 keeps of each
 *     lane what it read last. A token takes 18 kB with the starter guard, and 64 kB with Llama Guard 3 1B (48 kB pruned)
 * @param provider what computes
 */
public record Resources(int lanes, int threads, long cacheBytes, Provider provider) {

    public Resources {
        if (lanes < 1 || threads < 1 || cacheBytes < 0) {
            throw new IllegalArgumentException(
                    "a model needs at least 1 lane and 1 thread: %d lanes, %d threads, %d bytes for caches"
                            .formatted(lanes, threads, cacheBytes));
        }
    }

    /** Of this machine's processor. */
    public Resources(int lanes, int threads, long cacheBytes) {
        this(lanes, threads, cacheBytes, Provider.CPU);
    }

    /** One lane that remembers what it read last. */
    public static Resources oneLane(int threads) {
        return new Resources(1, threads, 0);
    }

    /**
     * Threads of the runtime's one pool: all lanes share it, and each call's own thread is one of them for as long as it
     * lasts.
     */
    int poolThreads() {
        return lanes * (threads - 1) + 1;
    }
}
