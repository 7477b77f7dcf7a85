package dev.corral.policies.policy;

import java.util.Locale;

/** Who says something, or by which way it came. */
public enum ContentSource {
    /** The application's instructions. */
    SYSTEM,
    /** The application's definition of a tool, which the model reads like instructions. */
    TOOL_DEFINITION,
    USER,
    ASSISTANT,
    /** A call of a tool by the assistant. */
    TOOL_CALL,
    /** What a tool answered. */
    TOOL_RESULT,
    /** What the assistant thinks before it answers. */
    REASONING;

    /** Whether it has to do with one tool, whose name may be known. */
    public boolean isOfTool() {
        return this == TOOL_DEFINITION || this == TOOL_CALL || this == TOOL_RESULT;
    }

    /** As policies write it, such as {@code tool-result}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
