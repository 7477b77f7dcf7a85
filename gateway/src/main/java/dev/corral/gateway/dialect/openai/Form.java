package dev.corral.gateway.dialect.openai;

/** The two forms of a completion: of a chat, and of a text. */
enum Form {
    CHAT("chat.completion", "chat.completion.chunk", "chatcmpl-", "message", "delta"),
    TEXT("text_completion", "text_completion", "cmpl-", "text", "text");

    private final String object;
    private final String chunkObject;
    private final String idPrefix;
    private final String message;
    private final String delta;

    Form(String object, String chunkObject, String idPrefix, String message, String delta) {
        this.object = object;
        this.chunkObject = chunkObject;
        this.idPrefix = idPrefix;
        this.message = message;
        this.delta = delta;
    }

    /** What a whole answer says it is. */
    String object() {
        return object;
    }

    /** What a chunk says it is. */
    String chunkObject() {
        return chunkObject;
    }

    /** How an answer's identifier begins. */
    String idPrefix() {
        return idPrefix;
    }

    /** The field of a choice that holds what is said. */
    String message() {
        return message;
    }

    /** The field of a choice in a chunk that holds what is said more. */
    String delta() {
        return delta;
    }
}
