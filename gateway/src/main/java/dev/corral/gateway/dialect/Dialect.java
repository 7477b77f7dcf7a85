package dev.corral.gateway.dialect;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import tools.jackson.databind.JsonNode;

/**
 * A way in which clients and upstreams talk. Thread-safe. Everything malformed is a {@link DialectException}, never
 * another exception; nothing that was sent is left unread unless it is known to carry no text.
 */
public interface Dialect {

    /** Whether requests of this method and path are in this dialect. */
    boolean serves(HttpMethod method, String path);

    /** Whether errors at this path are told in this dialect, also of requests that it does not serve. */
    default boolean tells(String path) {
        return false;
    }

    /** Reads a request. */
    ModeratedRequest read(byte[] body);

    /** Reads a whole answer, or the body of an upstream's error. */
    Answer readAnswer(byte[] body);

    /** The same, knowing what it answers: where an API's answers repeat the request, that much is not said anew. */
    default Answer readAnswer(byte[] body, ModeratedRequest request) {
        return readAnswer(body);
    }

    /** A reader for one streamed answer. */
    AnswerStream answerStream();

    /** The same, knowing what is answered. */
    default AnswerStream answerStream(ModeratedRequest request) {
        return answerStream();
    }

    /**
     * Splits a streamed answer into its frames; events of an event stream unless a dialect says otherwise.
     *
     * @param maxBytes of one frame
     */
    default FrameSplitter frames(int maxBytes) {
        return new SseFrames(maxBytes);
    }

    /** The content type of streamed answers, the upstream's and the gateway's own. */
    default MediaType streamType() {
        return MediaType.TEXT_EVENT_STREAM;
    }

    /** A frame that says nothing, to be sent while others are held; empty where the dialect has none. */
    default Optional<byte[]> keepAlive() {
        return Optional.of(SseEvent.comment("keep-alive"));
    }

    /** A value as a frame of a stream. */
    default byte[] frame(JsonNode value) {
        return SseEvent.frame(value);
    }

    /** The value in a frame of the gateway's own; empty where it has none that is JSON. */
    default Optional<JsonNode> value(byte[] frame) {
        return Optional.ofNullable(SseEvent.parse(frame).data())
                .filter(data -> data.startsWith("{"))
                .map(StrictJson::event);
    }

    /** The dialect's own refusal, as a whole answer. */
    WireResponse refusal(ModeratedRequest request, String exchangeId, String message);

    /** The same as frames of a whole stream, for when nothing was sent yet. */
    List<byte[]> refusalStream(ModeratedRequest request, String exchangeId, String message);

    /** An ordinary answer with this text. */
    WireResponse reply(ModeratedRequest request, String exchangeId, String message);

    /** The same as frames of a whole stream, for when nothing was sent yet. */
    List<byte[]> replyStream(ModeratedRequest request, String exchangeId, String message);

    /** The dialect's error envelope. */
    WireResponse error(GatewayError error);

    /** An error in the middle of a stream; nothing should follow it. */
    byte[] errorFrame(GatewayError error);

    /**
     * The same, where a dialect numbers its events.
     *
     * @param number of this one, see {@link AnswerStream#nextNumber}
     */
    default byte[] errorFrame(GatewayError error, long number) {
        return errorFrame(error);
    }

    /**
     * A request's body without what is redacted of its texts.
     *
     * @throws DialectException where this dialect cannot write a request anew
     */
    default byte[] redactRequest(byte[] body, Redactor redactor) {
        throw cannotRedact();
    }

    /**
     * A whole answer's body without what is redacted of its texts.
     *
     * @throws DialectException where this dialect cannot write an answer anew
     */
    default byte[] redactAnswer(byte[] body, Redactor redactor) {
        throw cannotRedact();
    }

    /**
     * Redacts one streamed answer.
     *
     * @throws DialectException where this dialect cannot write frames anew
     */
    default FrameRedactor frameRedactor(Redactor redactor) {
        throw cannotRedact();
    }

    /**
     * A request's body with these images in place of those that it names.
     *
     * @param images {@code data:} addresses, by the place of their parts
     * @throws DialectException where this dialect cannot write a request anew
     */
    default byte[] withImages(byte[] body, Map<String, String> images) {
        throw new DialectException(new GatewayError(
                400,
                "invalid_request_error",
                "images_unsupported",
                null,
                "images are not fetched for this API yet; send them inside of the request",
                null));
    }

    private static DialectException cannotRedact() {
        return new DialectException(new GatewayError(
                400,
                "invalid_request_error",
                "redaction_unsupported",
                null,
                "the policy redacts a part of this, which is not possible in this API yet; use …/chat/completions, or a"
                        + " policy that blocks what this one redacts",
                null));
    }
}
