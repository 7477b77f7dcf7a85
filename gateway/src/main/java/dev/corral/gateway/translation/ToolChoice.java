package dev.corral.gateway.translation;

/** Which tools a model may or must call. */
sealed interface ToolChoice {

    /** Whichever it likes, or none. */
    record Auto() implements ToolChoice {}

    /** None. */
    record None() implements ToolChoice {}

    /** At least one. */
    record Any(String where) implements ToolChoice {}

    /** This one. */
    record Named(String name, String where) implements ToolChoice {}
}
