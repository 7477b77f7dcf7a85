package dev.corral.gateway.dialect.llamastack;

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
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.WireResponse;
import java.util.List;
import java.util.Map;
import org.springframework.http.HttpMethod;
import tools.jackson.databind.JsonNode;

/** {@code POST /v1/inference/chat-completion} or {@code POST /v1/inference/completion}. */
public final class LlamaStackInference implements Dialect {

    private final LlamaStackApi api;

    public LlamaStackInference(LlamaStackApi api) {
        this.api = api;
    }

    @Override
    public boolean serves(HttpMethod method, String path) {
        return Paths.isPost(method, path, api.path());
    }

    @Override
    public boolean tells(String path) {
        return path.contains("/v1/inference/");
    }

    @Override
    public ModeratedRequest read(byte[] body) {
        return api.read(body);
    }

    @Override
    public Answer readAnswer(byte[] body) {
        JsonNode root = StrictJson.answer(body);
        LlamaStackAnswer answer = new LlamaStackAnswer();
        answer.accept(root);
        if (List.of("completion_message", "content", "error", "detail").stream().noneMatch(root::has)) {
            throw DialectException.unreadable("it has neither a 'completion_message' nor 'content' nor an 'error'");
        }
        return answer.answer();
    }

    @Override
    public AnswerStream answerStream() {
        return new LlamaStackStream(api);
    }

    @Override
    public WireResponse refusal(ModeratedRequest request, String exchangeId, String message) {
        return reply(request, exchangeId, message);
    }

    @Override
    public List<byte[]> refusalStream(ModeratedRequest request, String exchangeId, String message) {
        return api.stream(message);
    }

    @Override
    public WireResponse reply(ModeratedRequest request, String exchangeId, String message) {
        return WireResponse.json(200, Map.of(), api.whole(message));
    }

    @Override
    public List<byte[]> replyStream(ModeratedRequest request, String exchangeId, String message) {
        return api.stream(message);
    }

    @Override
    public WireResponse error(GatewayError error) {
        return LlamaStackErrors.response(error);
    }

    @Override
    public byte[] errorFrame(GatewayError error) {
        return LlamaStackErrors.frame(error);
    }

    @Override
    public byte[] redactRequest(byte[] body, Redactor redactor) {
        return LlamaStackTexts.LLAMA_STACK.redactedRequest(body, redactor);
    }

    @Override
    public byte[] withImages(byte[] body, Map<String, String> images) {
        return ImagePlaces.replaced(StrictJson.request(body), images);
    }

    @Override
    public byte[] redactAnswer(byte[] body, Redactor redactor) {
        return LlamaStackTexts.LLAMA_STACK.redactedAnswer(body, redactor);
    }

    @Override
    public FrameRedactor frameRedactor(Redactor redactor) {
        return new LlamaStackFrameRedactor(api, redactor);
    }
}
