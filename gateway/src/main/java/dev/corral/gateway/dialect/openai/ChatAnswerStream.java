package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.FrameContent;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.Words;
import dev.corral.gateway.dialect.openai.ChatWriter.Ending;
import dev.corral.guardmodels.conversation.Part;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** One streamed completion. */
final class ChatAnswerStream implements AnswerStream {

    /** Comments and event names up to this length are keep-alives and the like; longer ones are judged. */
    private static final int MAX_NOTE = 64;

    private final AnswerReader reader;
    private final Set<Integer> told = new HashSet<>();
    private final Set<Integer> ended = new HashSet<>();
    private ChatWriter writer;
    private boolean done;
    private boolean donePassed;

    /**
     * A stream that has not begun.
     *
     * @param writer for what is to be said before the upstream said its identifier
     */
    ChatAnswerStream(ChatWriter writer) {
        this.writer = writer;
        this.reader = new AnswerReader(writer.form().delta());
    }

    @Override
    public FrameContent accept(byte[] frame) {
        SseEvent event = SseEvent.parse(frame);
        int added = 0;
        for (String note : event.notes()) {
            if (note.length() > MAX_NOTE) {
                added += reader.add(List.of(new Part.TextPart(note, "a line of the stream that is not data")));
            }
        }
        String data = event.data();
        boolean end = data != null && data.strip().equals("[DONE]");
        if (data != null && !data.isBlank() && !end) {
            JsonNode chunk = StrictJson.event(data);
            added += reader.accept(chunk);
            writer = new ChatWriter(
                    writer.form(),
                    identifier(chunk.path("id"), writer.id()),
                    identifier(chunk.path("model"), writer.model()),
                    chunk.path("created").asLong(writer.created()));
        }
        done |= end;
        return reader.voices().content(added, end);
    }

    @Override
    public Answer soFar() {
        return reader.answer();
    }

    @Override
    public void passed() {
        reader.choices().forEach((index, choice) -> {
            if (choice.hasRole()) {
                told.add(index);
            }
            if (choice.hasEnd()) {
                ended.add(index);
            }
        });
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

    /**
     * Ends every choice that the client has seen no end of. A choice whose end was held back has none for the client; a
     * role is said once only, because a client that adds deltas up would read "assistantassistant".
     */
    private List<byte[]> terminal(Ending ending, String message) {
        if (donePassed) {
            return List.of();
        }
        Set<Integer> choices =
                reader.choices().isEmpty() ? Set.of(0) : reader.choices().keySet();
        List<byte[]> frames = new ArrayList<>();
        for (int index : choices) {
            if (ended.contains(index)) {
                continue;
            }
            if (!told.contains(index)) {
                frames.addAll(writer.role(index));
            }
            frames.add(writer.text(index, ending, message));
            frames.add(writer.end(index, ending));
        }
        frames.add(ChatWriter.DONE.clone());
        return frames;
    }

    private static String identifier(JsonNode value, String otherwise) {
        return value.isString() && Words.isNeutral(value) ? value.stringValue() : otherwise;
    }
}
