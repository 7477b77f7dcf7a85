package dev.corral.policies.policy;

/** Which requests an upstream may begin to work on while they are still judged; nothing leaves before the verdict. */
public enum Optimism {
    /** None: what is blocked, no upstream has seen. */
    NEVER,
    /** Those without tools, which might be called before the verdict. */
    WITHOUT_TOOLS,
    /** All of them. */
    ALWAYS
}
