package dev.corral.policies.policy;

import dev.corral.policies.policy.Policy.GuardReference;
import java.time.Duration;
import java.util.Optional;

/**
 * How a policy uses a guard.
 *
 * @param use the guard's name; empty for the one that there is
 * @param timeout for one judgement
 * @param unavailable what happens to content that the guard came to no verdict on
 */
public record GuardUse(Optional<GuardReference> use, Duration timeout, Unavailable unavailable) {

    static final GuardUse TEXT = new GuardUse(Optional.empty(), Duration.ofSeconds(10), Unavailable.ERROR);

    /** Images take longer. */
    static final GuardUse VISION = new GuardUse(Optional.empty(), Duration.ofSeconds(20), Unavailable.ERROR);

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
