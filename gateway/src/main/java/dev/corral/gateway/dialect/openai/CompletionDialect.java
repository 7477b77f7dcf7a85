package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.FrameRedactor;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.gateway.dialect.openai.ChatWriter.Ending;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** What completions of chats and of texts have in common: answers with choices, and streams that end by {@code [DONE]}. */
abstract sealed class CompletionDialect implements Dialect permits OpenAiChat, OpenAiCompletions {

    private final Form form;
    private final InstantSource clock;

    CompletionDialect(Form form, InstantSource clock) {
        this.form = form;
        this.clock = clock;
    }

    @Override
    public final Answer readAnswer(byte[] body) {
        JsonNode root = StrictJson.answer(body);
        AnswerReader reader = new AnswerReader(form.message());
        reader.accept(root);
        Answer answer = reader.answer();
        if (answer.choices().isEmpty() && !root.path("choices").isArray()) {
            throw DialectException.unreadable("it has neither 'choices' nor an 'error'");
        }
        return answer;
    }

    @Override
    public final AnswerStream answerStream() {
        return new ChatAnswerStream(writer("corral", ""));
    }

    @Override
    public final WireResponse refusal(ModeratedRequest request, String exchangeId, String message) {
        return writer(exchangeId, request.model()).whole(Ending.REFUSAL, message);
    }

    @Override
    public final List<byte[]> refusalStream(ModeratedRequest request, String exchangeId, String message) {
        return stream(Ending.REFUSAL, request, exchangeId, message);
    }

    @Override
    public final WireResponse reply(ModeratedRequest request, String exchangeId, String message) {
        return writer(exchangeId, request.model()).whole(Ending.REPLY, message);
    }

    @Override
    public final List<byte[]> replyStream(ModeratedRequest request, String exchangeId, String message) {
        return stream(Ending.REPLY, request, exchangeId, message);
    }

    @Override
    public final byte[] redactAnswer(byte[] body, Redactor redactor) {
        return StrictJson.bytes(ChatRedaction.answer(StrictJson.answer(body), redactor));
    }

    @Override
    public final FrameRedactor frameRedactor(Redactor redactor) {
        return new ChatFrameRedactor(form, redactor);
    }

    @Override
    public final WireResponse error(GatewayError error) {
        return ErrorEnvelope.whole(error);
    }

    @Override
    public final byte[] errorFrame(GatewayError error) {
        return ErrorEnvelope.frame(error);
    }

    private List<byte[]> stream(Ending ending, ModeratedRequest request, String exchangeId, String message) {
        ChatWriter writer = writer(exchangeId, request.model());
        List<byte[]> frames = new ArrayList<>(writer.role(0));
        frames.add(writer.text(0, ending, message));
        frames.add(writer.end(0, ending));
        frames.add(ChatWriter.DONE.clone());
        return frames;
    }

    private ChatWriter writer(String exchangeId, String model) {
        return new ChatWriter(
                form, form.idPrefix() + exchangeId, model, clock.instant().getEpochSecond());
    }
}
