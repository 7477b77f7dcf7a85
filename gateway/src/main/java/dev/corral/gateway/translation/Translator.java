package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.StrictJson;
import java.time.InstantSource;

/** Translates chats. Thread-safe. */
public final class Translator {

    private final InstantSource clock;

    /** With a clock for when answers were made. */
    public Translator(InstantSource clock) {
        this.clock = clock;
    }

    /**
     * Translates a request, which is to go to an upstream of another API.
     *
     * @param name of the upstream, for messages
     * @param maxTokens the longest answer, where the upstream's API wants a limit and the request has none
     * @throws DialectException where the upstream's API cannot carry it
     */
    public Translation translate(ChatApi client, byte[] body, ChatApi upstream, String name, int maxTokens) {
        Target target = new Target(upstream, name, maxTokens);
        ChatRequest request = RequestReader.of(client, target).read(StrictJson.request(body));
        return new Translation(
                client,
                upstream,
                request,
                StrictJson.bytes(RequestWriter.of(target).write(request)),
                clock);
    }
}
