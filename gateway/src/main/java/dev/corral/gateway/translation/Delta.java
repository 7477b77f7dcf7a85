package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.GatewayError;

/** The next piece of an answer, in no API's words. A whole answer is the list of its pieces. */
sealed interface Delta {

    /** An answer begins; its identifier is empty where the upstream gives none. */
    record Begin(String id, String model) implements Delta {}

    record Thought(String text) implements Delta {}

    record Text(String text) implements Delta {}

    /**
     * A call begins.
     *
     * @param number of the call in this answer, from 0
     */
    record Call(int number, String id, String name) implements Delta {}

    /** More of a call's arguments. */
    record Arguments(int number, String text) implements Delta {}

    /** Nothing more will be said, and why. */
    record Stopped(Stop reason, String sequence) implements Delta {}

    record Used(Usage usage) implements Delta {}

    /** The answer is complete. */
    record End() implements Delta {}

    /** Nothing new; the upstream is there. */
    record Ping() implements Delta {}

    /** The upstream tells of a failure in the middle of its answer; nothing follows. */
    record Failed(GatewayError error) implements Delta {}
}
