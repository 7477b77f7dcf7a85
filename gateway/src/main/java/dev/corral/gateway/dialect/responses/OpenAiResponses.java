package dev.corral.gateway.dialect.responses;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.FrameRedactor;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ImagePlaces;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.Paths;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.gateway.dialect.openai.ErrorEnvelope;
import dev.corral.gateway.dialect.responses.ResponseWriter.Ending;
import dev.corral.guardmodels.conversation.Conversation;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.springframework.http.HttpMethod;
import tools.jackson.databind.JsonNode;

/**
 * OpenAI's responses. What a request names of things that the upstream holds, an earlier response, a conversation, a
 * stored prompt, an item by its id, was never seen here: such requests are refused, and the client sends the items.
 */
public final class OpenAiResponses implements Dialect {

    private static final ModeratedRequest UNKNOWN = new ModeratedRequest(new Conversation(List.of()), "", false);

    private final InstantSource clock;

    /** With a clock for the {@code created_at} of the gateway's own answers. */
    public OpenAiResponses(InstantSource clock) {
        this.clock = clock;
    }

    /** {@code POST …/responses}, with or without a slash at its end. */
    @Override
    public boolean serves(HttpMethod method, String path) {
        return Paths.isPost(method, path, "/responses");
    }

    @Override
    public ModeratedRequest read(byte[] body) {
        return ResponsesRequestReader.read(body);
    }

    @Override
    public Answer readAnswer(byte[] body) {
        return readAnswer(body, UNKNOWN);
    }

    @Override
    public Answer readAnswer(byte[] body, ModeratedRequest request) {
        JsonNode root = StrictJson.answer(body);
        if (!root.isObject()) {
            throw DialectException.unreadable("it is not a JSON object");
        }
        ResponseReader reader = new ResponseReader(request);
        reader.acceptResponse(root);
        Answer answer = reader.answer();
        if (answer.choices().isEmpty() && !root.path("output").isArray()) {
            throw DialectException.unreadable("it has neither an 'output' nor an 'error'");
        }
        return answer;
    }

    @Override
    public AnswerStream answerStream() {
        return answerStream(UNKNOWN);
    }

    @Override
    public AnswerStream answerStream(ModeratedRequest request) {
        return new ResponsesAnswerStream(request, writer("corral", request.model()));
    }

    @Override
    public WireResponse refusal(ModeratedRequest request, String exchangeId, String message) {
        return writer(exchangeId, request.model()).whole(Ending.REFUSAL, message);
    }

    @Override
    public List<byte[]> refusalStream(ModeratedRequest request, String exchangeId, String message) {
        return writer(exchangeId, request.model()).stream(Ending.REFUSAL, message);
    }

    @Override
    public WireResponse reply(ModeratedRequest request, String exchangeId, String message) {
        return writer(exchangeId, request.model()).whole(Ending.REPLY, message);
    }

    @Override
    public List<byte[]> replyStream(ModeratedRequest request, String exchangeId, String message) {
        return writer(exchangeId, request.model()).stream(Ending.REPLY, message);
    }

    @Override
    public byte[] redactRequest(byte[] body, Redactor redactor) {
        return StrictJson.bytes(ResponsesRedaction.request(StrictJson.request(body), redactor));
    }

    @Override
    public byte[] withImages(byte[] body, Map<String, String> images) {
        return ImagePlaces.replaced(StrictJson.request(body), images);
    }

    @Override
    public byte[] redactAnswer(byte[] body, Redactor redactor) {
        return StrictJson.bytes(ResponsesRedaction.response(StrictJson.answer(body), redactor));
    }

    @Override
    public FrameRedactor frameRedactor(Redactor redactor) {
        return new ResponsesFrameRedactor(redactor);
    }

    /** An event by its name; what has no type has none. */
    @Override
    public byte[] frame(JsonNode value) {
        String type = value.path("type").asString("");
        return type.isEmpty() ? SseEvent.frame(value) : SseEvent.frame(type, value);
    }

    @Override
    public WireResponse error(GatewayError error) {
        return ErrorEnvelope.whole(error);
    }

    @Override
    public byte[] errorFrame(GatewayError error) {
        return errorFrame(error, 0);
    }

    @Override
    public byte[] errorFrame(GatewayError error, long number) {
        return ResponseWriter.error(error, number);
    }

    private ResponseWriter writer(String exchangeId, String model) {
        return new ResponseWriter(
                "resp_" + exchangeId,
                "msg_" + exchangeId,
                model,
                clock.instant().getEpochSecond());
    }
}
