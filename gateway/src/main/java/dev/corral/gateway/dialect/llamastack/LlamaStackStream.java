package dev.corral.gateway.dialect.llamastack;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.FrameContent;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.StrictJson;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** One streamed answer. */
final class LlamaStackStream implements AnswerStream {

    private final LlamaStackApi api;
    private final LlamaStackAnswer answer = new LlamaStackAnswer();
    private boolean started;
    private boolean spoke;
    private boolean ended;
    private boolean startedPassed;
    private boolean spokePassed;
    private boolean endedPassed;

    LlamaStackStream(LlamaStackApi api) {
        this.api = api;
    }

    @Override
    public FrameContent accept(byte[] frame) {
        SseEvent event = SseEvent.parse(frame);
        int added = answer.others().notes(event);
        String data = event.data();
        if (data == null || data.isBlank()) {
            return answer.voices().content(added, false);
        }
        if (data.strip().equals("[DONE]")) {
            ended = true;
        } else {
            JsonNode chunk = StrictJson.event(data);
            added += answer.accept(chunk);
            ended |= api.isEnd(chunk);
            started = true;
            spoke |= added > 0;
        }
        return answer.voices().content(added, ended);
    }

    @Override
    public Answer soFar() {
        return answer.answer();
    }

    @Override
    public void passed() {
        startedPassed = started;
        spokePassed = spoke;
        endedPassed = ended;
    }

    @Override
    public List<byte[]> refusalFrames(String message) {
        return replyFrames(message);
    }

    /** Clients join the texts of all chunks, so that a paragraph begins where something was said before. */
    @Override
    public List<byte[]> replyFrames(String message) {
        if (endedPassed) {
            return List.of();
        }
        return startedPassed
                ? List.of(api.chunk(spokePassed ? "\n\n" + message : message), api.end())
                : api.stream(message);
    }
}
