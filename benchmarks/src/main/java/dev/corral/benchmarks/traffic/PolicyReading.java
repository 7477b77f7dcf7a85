package dev.corral.benchmarks.traffic;

/** A process that does nothing but read a large policy, and tell how many milliseconds that took. */
public final class PolicyReading {

    private static final int LINES = 5_000;
    private static final int CONDITION_EVERY = 20;

    private PolicyReading() {}

    /** Takes nothing. */
    public static void main(String[] args) {
        String policy = policy();
        long start = System.nanoTime();
        PolicyBench.compile(policy);
        System.out.println((System.nanoTime() - start) / 1e6);
    }

    static String policy() {
        StringBuilder policy = new StringBuilder("policy: bench\nversion: 1\nrules:\n");
        for (int i = 0; i < LINES / 6; i++) {
            policy.append(
                    "  - id: r%d\n    when:\n      hazard: S%d\n      route: \"desk-%d\"\n    then: block\n    message: No.\n"
                            .formatted(i, 1 + i % 13, i));
            if (i % CONDITION_EVERY == 0) {
                policy.append(
                        "  - { id: c%d, when: \"hazard == 'S1' && unsafe < 0.%d1 && route == 'r%d'\", then: flag }\n"
                                .formatted(i, i % 9, i));
            }
        }
        return policy.toString();
    }
}
