package dev.corral.gateway.dialect.ollama;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.FrameContent;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.ollama.OllamaWriter.Ending;
import java.time.InstantSource;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** One streamed answer. */
final class OllamaStream implements AnswerStream {

    private final OllamaApi api;
    private final InstantSource clock;
    private final OllamaAnswer answer = new OllamaAnswer();
    private String model = "";
    private boolean spoke;
    private boolean done;
    private boolean spokePassed;
    private boolean donePassed;

    OllamaStream(OllamaApi api, InstantSource clock) {
        this.api = api;
        this.clock = clock;
    }

    @Override
    public FrameContent accept(byte[] frame) {
        String line = OllamaLines.text(frame);
        if (line.isBlank()) {
            return FrameContent.of(0);
        }
        JsonNode value = StrictJson.event(line);
        int added = answer.accept(value);
        model = value.path("model").asString(model);
        spoke |= added > 0;
        done |= value.path("done").asBoolean(false);
        return answer.voices().content(added, done);
    }

    @Override
    public Answer soFar() {
        return answer.answer();
    }

    @Override
    public void passed() {
        spokePassed = spoke;
        donePassed = done;
    }

    @Override
    public List<byte[]> refusalFrames(String message) {
        return terminal(Ending.REFUSAL, message);
    }

    @Override
    public List<byte[]> replyFrames(String message) {
        return terminal(Ending.REPLY, message);
    }

    /** Clients join the texts of all lines, so that a paragraph begins where something was said before. */
    private List<byte[]> terminal(Ending ending, String message) {
        return donePassed
                ? List.of()
                : new OllamaWriter(api, model, clock.instant()).lines(ending, spokePassed ? "\n\n" + message : message);
    }
}
