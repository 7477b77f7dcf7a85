package dev.corral.gateway.dialect.anthropic;

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
import dev.corral.gateway.dialect.anthropic.MessageWriter.Ending;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.springframework.http.HttpMethod;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Anthropic's messages, as Anthropic, LiteLLM, vLLM, llama.cpp and Ollama speak them. */
public final class AnthropicMessages implements Dialect {

    private static final byte[] PING =
            SseEvent.frame("ping", JsonNodeFactory.instance.objectNode().put("type", "ping"));

    /** {@code POST …/messages}, with or without a slash at its end. */
    @Override
    public boolean serves(HttpMethod method, String path) {
        return Paths.isPost(method, path, "/messages");
    }

    @Override
    public boolean tells(String path) {
        return path.contains("/messages");
    }

    @Override
    public ModeratedRequest read(byte[] body) {
        return MessagesRequestReader.read(body);
    }

    @Override
    public Answer readAnswer(byte[] body) {
        JsonNode root = StrictJson.answer(body);
        MessageReader reader = new MessageReader();
        reader.accept(root, "");
        if (!root.path("content").isArray() && root.path("error").isMissingNode()) {
            throw DialectException.unreadable("it has neither 'content' nor an 'error'");
        }
        return reader.answer();
    }

    @Override
    public Optional<byte[]> keepAlive() {
        return Optional.of(PING.clone());
    }

    @Override
    public AnswerStream answerStream() {
        return new MessageStream();
    }

    @Override
    public WireResponse refusal(ModeratedRequest request, String exchangeId, String message) {
        return writer(request, exchangeId).whole(Ending.REFUSAL, message);
    }

    @Override
    public List<byte[]> refusalStream(ModeratedRequest request, String exchangeId, String message) {
        return stream(writer(request, exchangeId), Ending.REFUSAL, message);
    }

    @Override
    public WireResponse reply(ModeratedRequest request, String exchangeId, String message) {
        return writer(request, exchangeId).whole(Ending.REPLY, message);
    }

    @Override
    public List<byte[]> replyStream(ModeratedRequest request, String exchangeId, String message) {
        return stream(writer(request, exchangeId), Ending.REPLY, message);
    }

    @Override
    public WireResponse error(GatewayError error) {
        return MessageWriter.error(error);
    }

    /** An event without a type is told as an error. */
    @Override
    public byte[] frame(JsonNode value) {
        return SseEvent.frame(value.path("type").asString("error"), value);
    }

    @Override
    public byte[] errorFrame(GatewayError error) {
        return MessageWriter.errorFrame(error);
    }

    @Override
    public byte[] redactRequest(byte[] body, Redactor redactor) {
        return MessageTexts.MESSAGES.redactedRequest(body, redactor);
    }

    @Override
    public byte[] withImages(byte[] body, Map<String, String> images) {
        return ImagePlaces.replaced(StrictJson.request(body), images, AnthropicMessages::hold);
    }

    @Override
    public byte[] redactAnswer(byte[] body, Redactor redactor) {
        return MessageTexts.MESSAGES.redactedAnswer(body, redactor);
    }

    @Override
    public FrameRedactor frameRedactor(Redactor redactor) {
        return new MessageFrameRedactor(redactor);
    }

    private static List<byte[]> stream(MessageWriter writer, Ending ending, String message) {
        List<byte[]> frames = new ArrayList<>();
        frames.add(writer.start());
        frames.addAll(writer.block(0, message));
        frames.addAll(writer.end(ending));
        return frames;
    }

    private static MessageWriter writer(ModeratedRequest request, String exchangeId) {
        return new MessageWriter("msg_" + exchangeId, request.model());
    }

    /** Anthropic's own form of a file in a request. */
    private static void hold(ObjectNode source, String address) {
        int comma = address.indexOf(',');
        source.removeAll();
        source.put("type", "base64");
        source.put("media_type", address.substring("data:".length(), address.indexOf(';')));
        source.put("data", address.substring(comma + 1));
    }
}
