package dev.corral.gateway.dialect.anthropic;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.FrameContent;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.anthropic.MessageWriter.Ending;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;

/** One streamed message. */
final class MessageStream implements AnswerStream {

    /**
     * How far a stream has come.
     *
     * @param blocks how many blocks have begun
     * @param open blocks that have begun and not ended
     * @param reasoned whether it was said why the message ends
     */
    private record Progress(boolean started, int blocks, List<Integer> open, boolean reasoned, boolean ended) {}

    private final MessageReader reader = new MessageReader();
    private final TreeSet<Integer> open = new TreeSet<>();
    private MessageWriter writer = new MessageWriter("msg_corral", "");
    private boolean started;
    private int blocks;
    private boolean reasoned;
    private boolean ended;
    private Progress passed = new Progress(false, 0, List.of(), false, false);

    @Override
    public FrameContent accept(byte[] frame) {
        SseEvent event = SseEvent.parse(frame);
        int added = reader.others().notes(event);
        String data = event.data();
        if (data == null || data.isBlank()) {
            return reader.voices().content(added, false);
        }
        JsonNode value = StrictJson.event(data);
        added += reader.acceptEvent(value);
        follow(value);
        return reader.voices().content(added, ended);
    }

    @Override
    public Answer soFar() {
        return reader.answer();
    }

    @Override
    public void passed() {
        passed = new Progress(started, blocks, List.copyOf(open), reasoned, ended);
    }

    @Override
    public List<byte[]> refusalFrames(String message) {
        return terminal(Ending.REFUSAL, message);
    }

    @Override
    public List<byte[]> replyFrames(String message) {
        return terminal(Ending.REPLY, message);
    }

    private void follow(JsonNode event) {
        int index = event.path("index").asInt(0);
        switch (event.path("type").asString("")) {
            case "message_start" -> {
                started = true;
                JsonNode message = event.path("message");
                writer = new MessageWriter(
                        message.path("id").asString(writer.id()),
                        message.path("model").asString(writer.model()));
            }
            case "content_block_start" -> {
                open.add(index);
                blocks = Math.max(blocks, index + 1);
            }
            case "content_block_stop" -> open.remove(index);
            case "message_delta" -> reasoned = true;
            case "message_stop" -> ended = true;
            default -> {}
        }
    }

    /** The client is told what it lacks: who speaks, the end of the block that it is in, the text, the end of it all. */
    private List<byte[]> terminal(Ending ending, String message) {
        if (passed.ended) {
            return List.of();
        }
        if (passed.reasoned) {
            return List.of(writer.stop());
        }
        List<byte[]> frames = new ArrayList<>();
        if (!passed.started) {
            frames.add(writer.start());
        }
        passed.open.forEach(index -> frames.add(writer.blockEnd(index)));
        frames.addAll(writer.block(passed.blocks, message));
        frames.addAll(writer.end(ending));
        return frames;
    }
}
