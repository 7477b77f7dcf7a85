package dev.corral.gateway.dialect.ollama;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.Paths;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.TextlessDialect;
import dev.corral.gateway.dialect.WireResponse;
import org.springframework.http.HttpMethod;

/** {@code POST /api/embed}, and {@code POST /api/embeddings} of older clients. */
public final class OllamaEmbeddings extends TextlessDialect {

    @Override
    public boolean serves(HttpMethod method, String path) {
        return Paths.isPost(method, path, "/api/embed") || Paths.isPost(method, path, "/api/embeddings");
    }

    @Override
    public ModeratedRequest read(byte[] body) {
        return OllamaRequests.embed(body);
    }

    @Override
    public Answer readAnswer(byte[] body) {
        OllamaAnswer answer = new OllamaAnswer();
        answer.accept(StrictJson.answer(body));
        return answer.answer();
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
}
