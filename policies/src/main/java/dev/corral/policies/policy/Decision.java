package dev.corral.policies.policy;

import java.util.List;

/** What happens with judged content, and why. */
public sealed interface Decision {

    /** The rules that led to this outcome, the weightiest first; empty where no rule did. */
    List<String> ruleIds();

    /** Every hazard that is present, whatever its rule does with it; the most probable first. */
    List<Finding> findings();

    /** Why, in sentences for operators and audits. Names hazards: not for clients. */
    String explanation();

    /** The kind of this decision; kinds compare by strictness. */
    Outcome outcome();

    /** Passes. */
    record Allow(List<String> ruleIds, List<Finding> findings, String explanation) implements Decision {

        public Allow {
            ruleIds = List.copyOf(ruleIds);
            findings = List.copyOf(findings);
        }

        @Override
        public Outcome outcome() {
            return Outcome.ALLOW;
        }
    }

    /** Passes, marked. */
    record Flag(List<String> ruleIds, List<Finding> findings, String explanation) implements Decision {

        public Flag {
            ruleIds = List.copyOf(ruleIds);
            findings = List.copyOf(findings);
        }

        @Override
        public Outcome outcome() {
            return Outcome.FLAG;
        }
    }

    /** Passes without the spans of its pattern hazards; {@link CompiledPolicy#redaction} says which. */
    record Redact(List<String> ruleIds, List<Finding> findings, String explanation) implements Decision {

        public Redact {
            ruleIds = List.copyOf(ruleIds);
            findings = List.copyOf(findings);
        }

        @Override
        public Outcome outcome() {
            return Outcome.REDACT;
        }
    }

    /**
     * Does not pass; the policy answers.
     *
     * @param message the answer, as the policy words it
     */
    record Respond(List<String> ruleIds, List<Finding> findings, String explanation, String message)
            implements Decision {

        public Respond {
            ruleIds = List.copyOf(ruleIds);
            findings = List.copyOf(findings);
        }

        @Override
        public Outcome outcome() {
            return Outcome.RESPOND;
        }
    }

    /**
     * Does not pass now: the guard came to no verdict, and the policy says {@code unavailable: error}. Worth a retry.
     *
     * @param message for the client; names no hazard
     */
    record Unavailable(List<String> ruleIds, List<Finding> findings, String explanation, String message)
            implements Decision {

        public Unavailable {
            ruleIds = List.copyOf(ruleIds);
            findings = List.copyOf(findings);
        }

        @Override
        public Outcome outcome() {
            return Outcome.UNAVAILABLE;
        }
    }

    /**
     * Does not pass.
     *
     * @param message for the client; names no hazard unless the policy's own message does
     * @param style how the client is told
     */
    record Block(List<String> ruleIds, List<Finding> findings, String explanation, String message, BlockStyle style)
            implements Decision {

        public Block {
            ruleIds = List.copyOf(ruleIds);
            findings = List.copyOf(findings);
        }

        @Override
        public Outcome outcome() {
            return Outcome.BLOCK;
        }
    }

    /**
     * The kinds of decisions, from the weakest to the strictest. A block is stricter than unavailable: nothing passes by
     * either, but what is blocked for good is not worth a retry.
     */
    enum Outcome {
        ALLOW,
        FLAG,
        REDACT,
        RESPOND,
        UNAVAILABLE,
        BLOCK
    }
}
