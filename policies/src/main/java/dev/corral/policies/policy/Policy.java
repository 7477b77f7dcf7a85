package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A policy as its file says it. Hazards are still mere codes: {@link PolicyCompiler} checks them against a guard's
 * taxonomy.
 *
 * @param name letters, digits, dots, hyphens and underscores
 * @param version 1 or more
 * @param owner who answers for it
 * @param description for people
 * @param defaultThreshold for the hazards without their own; empty means the one that the guard recommends
 * @param thresholds for single hazards
 * @param rules first match wins for each hazard; a hazard that no rule names is blocked
 * @param unscanned what happens to content that no guard could read: allow, flag or block
 * @param blockStyle how clients are told of a block
 * @param blockMessage what they are told, where a rule does not say it
 * @param textGuard how the guard for text is used
 * @param streaming how streamed answers are cut into windows
 * @param source the file
 */
public record Policy(
        String name,
        int version,
        Optional<String> owner,
        Optional<String> description,
        Optional<Probability> defaultThreshold,
        List<Threshold> thresholds,
        List<Rule> rules,
        Action unscanned,
        BlockStyle blockStyle,
        Optional<String> blockMessage,
        GuardUse textGuard,
        StreamingWindows streaming,
        Source source) {

    public Policy {
        thresholds = List.copyOf(thresholds);
        rules = List.copyOf(rules);
    }

    /**
     * A hazard is present when its probability is at or above this.
     *
     * @param value above 0
     */
    public record Threshold(HazardReference hazard, Probability value) {}

    /**
     * What to do with some hazards.
     *
     * @param id unique in its policy
     * @param hazards which
     * @param directions in which the content travels; at least one
     * @param action what to do
     * @param message what the client is told, for the actions respond and block
     * @param location of the rule
     */
    public record Rule(
            String id,
            HazardSelector hazards,
            Set<Direction> directions,
            Action action,
            Optional<String> message,
            SourceLocation location) {

        public Rule {
            // in the order of the enum, so that messages do not depend on the run
            directions = Collections.unmodifiableSet(EnumSet.copyOf(directions));
        }
    }

    /** The hazards that a rule is about. */
    public sealed interface HazardSelector {

        /** Every hazard, known today or not. */
        record Any() implements HazardSelector {}

        /**
         * These.
         *
         * @param hazards at least one
         */
        record Named(List<HazardReference> hazards) implements HazardSelector {

            public Named {
                hazards = List.copyOf(hazards);
            }
        }
    }

    /**
     * A hazard as a file writes it.
     *
     * @param code such as {@code S4}
     */
    public record HazardReference(String code, SourceLocation location) {}

    /**
     * A policy's file.
     *
     * @param origin its name
     * @param text its whole text
     */
    public record Source(String origin, String text) {}
}
