package dev.corral.clients;

/** What a library of another language has thrown. */
final class ScriptError extends RuntimeException {

    private final String type;

    ScriptError(String type, String message) {
        super(message);
        this.type = type;
    }

    /** Its name in that language. */
    String type() {
        return type;
    }
}
