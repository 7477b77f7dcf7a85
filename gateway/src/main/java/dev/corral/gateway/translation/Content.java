package dev.corral.gateway.translation;

/** A piece of what somebody says. */
sealed interface Content {

    record Text(String text) implements Content {}

    /** What a model thought before it spoke. */
    record Thought(String text, String where) implements Content {}

    /**
     * An image inside of the request.
     *
     * @param mediaType such as {@code image/png}
     */
    record InlineImage(String mediaType, String base64, String where) implements Content {}

    /** An image that the upstream is to fetch. */
    record LinkedImage(String url, String where) implements Content {}

    /**
     * A call of a tool.
     *
     * @param id by which its result is known
     * @param arguments as a text, which should be a JSON object and may be anything; empty where there are none
     */
    record Call(String id, String name, String arguments, String where) implements Content {}
}
