package dev.corral.gateway.dialect.ollama;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.FrameRedactor;
import dev.corral.gateway.dialect.FrameSplitter;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.NdjsonFrames;
import dev.corral.gateway.dialect.Paths;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.gateway.dialect.ollama.OllamaWriter.Ending;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import tools.jackson.databind.JsonNode;

/** {@code POST /api/chat} or {@code POST /api/generate}. */
public final class Ollama implements Dialect {

    private final OllamaApi api;
    private final InstantSource clock;

    /** With a clock for the {@code created_at} of the gateway's own answers. */
    public Ollama(OllamaApi api, InstantSource clock) {
        this.api = api;
        this.clock = clock;
    }

    @Override
    public boolean serves(HttpMethod method, String path) {
        return Paths.isPost(method, path, api.path());
    }

    @Override
    public boolean tells(String path) {
        return path.startsWith("/api/");
    }

    @Override
    public ModeratedRequest read(byte[] body) {
        return api.read(body);
    }

    @Override
    public Answer readAnswer(byte[] body) {
        JsonNode root = StrictJson.answer(body);
        OllamaAnswer answer = new OllamaAnswer();
        answer.accept(root);
        if (!root.has("message") && !root.has("response") && !root.has("error")) {
            throw DialectException.unreadable("it has neither a 'message' nor a 'response' nor an 'error'");
        }
        return answer.answer();
    }

    @Override
    public AnswerStream answerStream() {
        return new OllamaStream(api, clock);
    }

    @Override
    public FrameSplitter frames(int maxBytes) {
        return new NdjsonFrames(maxBytes);
    }

    @Override
    public MediaType streamType() {
        return MediaType.APPLICATION_NDJSON;
    }

    @Override
    public byte[] frame(JsonNode value) {
        return NdjsonFrames.frame(value);
    }

    @Override
    public Optional<JsonNode> value(byte[] frame) {
        return Optional.of(StrictJson.answer(frame));
    }

    /** An empty line is an error to many a client. */
    @Override
    public Optional<byte[]> keepAlive() {
        return Optional.empty();
    }

    @Override
    public WireResponse refusal(ModeratedRequest request, String exchangeId, String message) {
        return writer(request).whole(Ending.REFUSAL, message);
    }

    @Override
    public List<byte[]> refusalStream(ModeratedRequest request, String exchangeId, String message) {
        return writer(request).lines(Ending.REFUSAL, message);
    }

    @Override
    public WireResponse reply(ModeratedRequest request, String exchangeId, String message) {
        return writer(request).whole(Ending.REPLY, message);
    }

    @Override
    public List<byte[]> replyStream(ModeratedRequest request, String exchangeId, String message) {
        return writer(request).lines(Ending.REPLY, message);
    }

    @Override
    public WireResponse error(GatewayError error) {
        return OllamaWriter.error(error);
    }

    @Override
    public byte[] errorFrame(GatewayError error) {
        return OllamaWriter.errorFrame(error);
    }

    @Override
    public byte[] redactRequest(byte[] body, Redactor redactor) {
        return OllamaTexts.OLLAMA.redactedRequest(body, redactor);
    }

    @Override
    public byte[] redactAnswer(byte[] body, Redactor redactor) {
        return OllamaTexts.OLLAMA.redactedAnswer(body, redactor);
    }

    @Override
    public FrameRedactor frameRedactor(Redactor redactor) {
        return new OllamaLines(api, clock, redactor);
    }

    private OllamaWriter writer(ModeratedRequest request) {
        return new OllamaWriter(api, request.model(), clock.instant());
    }
}
