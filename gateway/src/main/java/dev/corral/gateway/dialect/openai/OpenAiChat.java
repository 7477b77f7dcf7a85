package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.ImagePlaces;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.Paths;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.StrictJson;
import java.time.InstantSource;
import java.util.Map;
import org.springframework.http.HttpMethod;

/** OpenAI's chat completions, as OpenAI, vLLM, llama.cpp, Ollama and others speak them. */
public final class OpenAiChat extends CompletionDialect {

    /** With a clock for the {@code created} of the gateway's own answers. */
    public OpenAiChat(InstantSource clock) {
        super(Form.CHAT, clock);
    }

    /** {@code POST …/chat/completions}, with or without a slash at its end. */
    @Override
    public boolean serves(HttpMethod method, String path) {
        return Paths.isPost(method, path, "/chat/completions");
    }

    @Override
    public ModeratedRequest read(byte[] body) {
        return ChatRequestReader.read(body);
    }

    @Override
    public byte[] redactRequest(byte[] body, Redactor redactor) {
        return StrictJson.bytes(ChatRedaction.request(StrictJson.request(body), redactor));
    }

    @Override
    public byte[] withImages(byte[] body, Map<String, String> images) {
        return ImagePlaces.replaced(StrictJson.request(body), images);
    }
}
