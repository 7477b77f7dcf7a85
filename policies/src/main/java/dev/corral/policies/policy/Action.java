package dev.corral.policies.policy;

import java.util.Locale;

/** What a rule does with a hazard that is present; from the weakest to the strictest. */
public enum Action {
    /** Passes. */
    ALLOW("allows"),
    /** Passes, and is marked for the people who look at flagged traffic. */
    FLAG("flags"),
    /** Passes without the spans of its pattern hazards. */
    REDACT("redacts"),
    /** Is answered with the rule's own message instead of the model's words. */
    RESPOND("responds to"),
    /** Does not pass. */
    BLOCK("blocks");

    private final String verb;

    Action(String verb) {
        this.verb = verb;
    }

    /** As policies write it, such as {@code block}. */
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** What a rule with this action does, for sentences: {@code blocks}. */
    String verb() {
        return verb;
    }

    Decision.Outcome outcome() {
        return switch (this) {
            case ALLOW -> Decision.Outcome.ALLOW;
            case FLAG -> Decision.Outcome.FLAG;
            case REDACT -> Decision.Outcome.REDACT;
            case RESPOND -> Decision.Outcome.RESPOND;
            case BLOCK -> Decision.Outcome.BLOCK;
        };
    }
}
