package dev.corral.policies.policy;

/** What an audit may keep of content that a rule decided about; from the least to the most. */
public enum AuditDetail {
    /** That there was some. */
    NONE,
    /** Its SHA-256. */
    HASH,
    /** Its text without the spans of pattern hazards. */
    REDACTED,
    /** All of it. */
    TEXT
}
