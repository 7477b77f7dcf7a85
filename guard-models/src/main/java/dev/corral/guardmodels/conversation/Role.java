package dev.corral.guardmodels.conversation;

/** Who a turn's text comes from. */
public enum Role {
    /** The application's instructions ({@code system}, {@code developer}), tool definitions included. */
    SYSTEM,
    USER,
    ASSISTANT,
    /** The result of a tool that the assistant called. */
    TOOL
}
