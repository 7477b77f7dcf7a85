package dev.corral.policies.policy;

import java.time.Duration;

/**
 * How a policy uses a guard.
 *
 * @param timeout for one judgement
 * @param unavailable what happens to content that the guard came to no verdict on
 */
public record GuardUse(Duration timeout, Unavailable unavailable) {

    static final GuardUse DEFAULT = new GuardUse(Duration.ofSeconds(10), Unavailable.ERROR);

    /** What happens without a verdict. */
    public enum Unavailable {
        /** The client gets an error that is worth a retry. */
        ERROR,
        BLOCK,
        FLAG,
        ALLOW;

        Decision.Outcome outcome() {
            return switch (this) {
                case ERROR -> Decision.Outcome.UNAVAILABLE;
                case BLOCK -> Decision.Outcome.BLOCK;
                case FLAG -> Decision.Outcome.FLAG;
                case ALLOW -> Decision.Outcome.ALLOW;
            };
        }
    }
}
