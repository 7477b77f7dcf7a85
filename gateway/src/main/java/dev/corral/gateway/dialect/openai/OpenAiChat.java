package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.FrameRedactor;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.gateway.dialect.openai.ChatWriter.Ending;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.springframework.http.HttpMethod;
import tools.jackson.databind.JsonNode;

/** OpenAI's chat completions, as OpenAI, vLLM, llama.cpp, Ollama and others speak them. */
public final class OpenAiChat implements Dialect {

    private final InstantSource clock;

    /** With a clock for the {@code created} of the gateway's own answers. */
    public OpenAiChat(InstantSource clock) {
        this.clock = clock;
    }

    /** {@code POST …/chat/completions}, with or without a slash at its end. */
    @Override
    public boolean serves(HttpMethod method, String path) {
        return OpenAiPaths.matches(method, path, "/chat/completions");
    }

    @Override
    public ModeratedRequest read(byte[] body) {
        return ChatRequestReader.read(body);
    }

    @Override
    public Answer readAnswer(byte[] body) {
        JsonNode root = parsed(body);
        AnswerReader reader = new AnswerReader("message");
        reader.accept(root);
        Answer answer = reader.answer();
        if (answer.choices().isEmpty() && !root.path("choices").isArray()) {
            throw AnswerReader.unreadable("it has neither 'choices' nor an 'error'");
        }
        return answer;
    }

    @Override
    public AnswerStream answerStream() {
        return new ChatAnswerStream(writer("corral", ""));
    }

    @Override
    public WireResponse refusal(ModeratedRequest request, String exchangeId, String message) {
        return writer(exchangeId, request.model()).whole(Ending.REFUSAL, message);
    }

    @Override
    public List<byte[]> refusalStream(ModeratedRequest request, String exchangeId, String message) {
        return stream(Ending.REFUSAL, request, exchangeId, message);
    }

    @Override
    public WireResponse reply(ModeratedRequest request, String exchangeId, String message) {
        return writer(exchangeId, request.model()).whole(Ending.REPLY, message);
    }

    @Override
    public List<byte[]> replyStream(ModeratedRequest request, String exchangeId, String message) {
        return stream(Ending.REPLY, request, exchangeId, message);
    }

    @Override
    public byte[] redactRequest(byte[] body, Redactor redactor) {
        return ChatRedaction.request(ChatRequestReader.object(body), redactor);
    }

    @Override
    public byte[] redactAnswer(byte[] body, Redactor redactor) {
        return ChatRedaction.answer(parsed(body), redactor);
    }

    @Override
    public FrameRedactor frameRedactor(Redactor redactor) {
        return new ChatFrameRedactor(redactor);
    }

    @Override
    public byte[] withImages(byte[] body, Map<String, String> images) {
        return ChatImages.replaced(ChatRequestReader.object(body), images);
    }

    @Override
    public WireResponse error(GatewayError error) {
        return ChatWriter.error(error);
    }

    @Override
    public byte[] errorFrame(GatewayError error) {
        return ChatWriter.errorFrame(error);
    }

    private static JsonNode parsed(byte[] body) {
        try {
            return StrictJson.parse(body);
        } catch (StrictJson.Malformed e) {
            throw AnswerReader.unreadable("it is not valid JSON: " + e.getMessage());
        }
    }

    private List<byte[]> stream(Ending ending, ModeratedRequest request, String exchangeId, String message) {
        ChatWriter writer = writer(exchangeId, request.model());
        return List.of(writer.role(0), writer.text(0, ending, message), writer.end(0, ending), ChatWriter.DONE.clone());
    }

    private ChatWriter writer(String exchangeId, String model) {
        return new ChatWriter("chatcmpl-" + exchangeId, model, clock.instant().getEpochSecond());
    }
}
