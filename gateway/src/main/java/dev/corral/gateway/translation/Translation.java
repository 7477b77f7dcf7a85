package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.StrictJson;
import java.time.InstantSource;
import java.util.Optional;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.web.server.ServerWebExchange;
import tools.jackson.databind.JsonNode;

/** One chat between a client and an upstream of another API: its request in the upstream's words, the answer in the client's. */
public final class Translation {

    /*
     * Where does it stand? Moderation reads and writes the client's dialect alone. So a request is translated after it was
     * judged and redacted, on its way into the connection; and what an upstream says is translated back before anybody looks
     * at it. The bytes that are judged are those that the client gets, an optimistic answer is held in the client's words,
     * and another upstream that is asked in place of one that cannot be reached gets the request in its own.
     *
     * Why a form in between? Three APIs are six directions. Each is read into a request, or into the pieces of an answer,
     * which belong to no API, and written from there. A reader takes every field of its API or refuses it, and a writer
     * refuses what its API has no place for; nobody leaves out what was asked for. What has a meaning in one API only, such
     * as how long a model stays loaded, ends in the reader that knows it, by name.
     */

    private static final String ATTRIBUTE = Translation.class.getName();
    private static final String ANTHROPIC_VERSION = "2023-06-01";
    private static final String CALL = "call_";
    private static final int CALL_CHARACTERS = 24;

    private final ChatApi client;
    private final ChatApi upstream;
    private final ChatRequest request;
    private final byte[] body;
    private final InstantSource clock;

    Translation(ChatApi client, ChatApi upstream, ChatRequest request, byte[] body, InstantSource clock) {
        this.client = client;
        this.upstream = upstream;
        this.request = request;
        this.body = body;
        this.clock = clock;
    }

    /** The translation of an exchange whose upstream speaks another API than its client. */
    public static Optional<Translation> of(ServerWebExchange exchange) {
        return Optional.ofNullable(exchange.getAttribute(ATTRIBUTE));
    }

    /** Notes that an exchange's answer comes from an upstream that was asked in these words; empty for the client's own. */
    public static void note(ServerWebExchange exchange, Optional<Translation> translation) {
        exchange.getAttributes().remove(ATTRIBUTE);
        translation.ifPresent(noted -> exchange.getAttributes().put(ATTRIBUTE, noted));
    }

    /** The request for the upstream. */
    public byte[] request() {
        return body.clone();
    }

    /** Makes a client's headers those of the upstream's API. */
    public void describe(HttpHeaders headers) {
        headers.remove("anthropic-version");
        headers.remove("anthropic-beta");
        if (upstream == ChatApi.ANTHROPIC) {
            headers.set("anthropic-version", ANTHROPIC_VERSION);
        }
        headers.setContentType(MediaType.APPLICATION_JSON);
        headers.set(
                HttpHeaders.ACCEPT, (request.stream() ? upstream.streamType() : MediaType.APPLICATION_JSON).toString());
        if (headers.getContentLength() >= 0) {
            headers.setContentLength(body.length);
        }
    }

    /** The content type of the upstream's streams. */
    public MediaType streamType() {
        return upstream.streamType();
    }

    /**
     * A whole answer.
     *
     * @param dialect of the client
     * @throws DialectException with status 502 where it is none of the upstream's API, or cannot be said in the client's
     */
    public byte[] answer(byte[] answer, Dialect dialect, String exchangeId) {
        JsonNode value = StrictJson.answer(answer);
        if (UpstreamError.is(value)) {
            throw new DialectException(UpstreamError.read(502, value));
        }
        WholeAnswer whole =
                WholeAnswer.of(AnswerReader.of(upstream, callPrefix(exchangeId)).whole(value));
        return StrictJson.bytes(
                AnswerWriter.of(client, head(dialect, exchangeId)).whole(whole));
    }

    /**
     * An upstream's error in the client's dialect.
     *
     * @throws DialectException with status 502 where it cannot be read
     */
    public byte[] error(int status, byte[] error, Dialect dialect) {
        GatewayError read = UpstreamError.read(status, StrictJson.answer(error));
        return dialect.error(read).body();
    }

    /**
     * A translator of one streamed answer.
     *
     * @param maxBytes of one of its frames
     */
    public StreamTranslation stream(Dialect dialect, String exchangeId, int maxBytes) {
        return new StreamTranslation(
                AnswerReader.frames(upstream, maxBytes),
                AnswerReader.of(upstream, callPrefix(exchangeId)),
                AnswerWriter.of(client, head(dialect, exchangeId)));
    }

    private Letterhead head(Dialect dialect, String exchangeId) {
        return new Letterhead(dialect, exchangeId, clock.instant(), request.streamedUsage());
    }

    /** Identifiers of calls from an upstream that has none: within the 40 characters that OpenAI allows. */
    private static String callPrefix(String exchangeId) {
        String plain = exchangeId.replace("-", "");
        return CALL + plain.substring(0, Math.min(plain.length(), CALL_CHARACTERS)) + "_";
    }

    /** Both sides, for people. */
    @Override
    public String toString() {
        return client.title() + " to " + upstream.title();
    }
}
