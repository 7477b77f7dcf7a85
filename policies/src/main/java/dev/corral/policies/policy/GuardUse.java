package dev.corral.policies.policy;

import dev.corral.policies.policy.Policy.GuardReference;
import java.time.Duration;
import java.util.Optional;

/**
 * How a policy uses a guard.
 *
 * @param use the guard's name; empty for the one that there is, or the gateway's own choice of several
 * @param timeout for one judgement; empty where whoever runs the guard knows better: ten seconds for texts, for images what
 *     the gateway's settings say
 * @param unavailable what happens to content that the guard came to no verdict on
 */
public record GuardUse(Optional<GuardReference> use, Optional<Duration> timeout, Unavailable unavailable) {

    static final GuardUse DEFAULT = new GuardUse(Optional.empty(), Optional.empty(), Unavailable.ERROR);

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
