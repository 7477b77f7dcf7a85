package dev.corral.guardmodels.prompt;

/** The two sides that a guard tells apart. */
public enum Speaker {
    USER("User"),
    AGENT("Agent");

    private final String label;

    Speaker(String label) {
        this.label = label;
    }

    /** The word that the templates use. */
    String label() {
        return label;
    }
}
