package dev.corral.policies.policy;

/** How bad an issue is. */
public enum Severity {
    /** Works, but not the way its author may believe. */
    WARNING,
    /** The policy is not used. */
    ERROR
}
