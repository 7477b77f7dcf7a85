package dev.corral.policies.policy;

/** Which of the guards of a policy judged something. */
public enum GuardKind {
    TEXT,
    VISION
}
