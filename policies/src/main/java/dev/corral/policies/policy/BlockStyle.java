package dev.corral.policies.policy;

/** How a client is told that something was blocked. */
public enum BlockStyle {
    /** A refusal in the words of the client's dialect, such as {@code finish_reason: content_filter} with HTTP 200. */
    REFUSAL,
    /** An error that SDKs do not retry: HTTP 400 with code {@code content_policy_violation}. */
    ERROR,
    /** The message as an ordinary answer, which no program can tell from the model's own words. */
    TEXT,
    /** Like Azure OpenAI's content filter: HTTP 400 for a prompt, annotations for an answer. Names kinds of content. */
    AZURE,
    /** Like LiteLLM's guardrails: HTTP 400 with the name of the guardrail. */
    LITELLM,
    /** Like Portkey's guardrails: HTTP 446 with the results of its hooks, 246 for what is only flagged. */
    PORTKEY
}
