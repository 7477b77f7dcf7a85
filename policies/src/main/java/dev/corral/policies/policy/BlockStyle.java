package dev.corral.policies.policy;

/** How a client is told that something was blocked. */
public enum BlockStyle {
    /** A refusal in the words of the client's dialect, such as {@code finish_reason: content_filter} with HTTP 200. */
    REFUSAL,
    /** An error that SDKs do not retry: HTTP 400 with code {@code content_policy_violation}. */
    ERROR
}
