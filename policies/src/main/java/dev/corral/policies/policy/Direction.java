package dev.corral.policies.policy;

/** Which way the judged content travels. */
public enum Direction {
    /** From the application to the model: every turn of a request. */
    PROMPT,
    /** From the model to the application: what it answers. */
    COMPLETION
}
