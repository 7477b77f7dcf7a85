package dev.corral.gateway.moderation;

/** What waits for a lane, most urgent first. */
enum Urgency {
    /** An answer, whole or in windows: its upstream is at work, and somebody reads along. */
    ANSWER,
    /** A request that nobody has begun to answer. */
    PROMPT
}
