package dev.corral.gateway.dialect;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * One event of an event stream.
 *
 * @param data its data lines, joined by line feeds; null where it has none
 * @param notes its other lines as they came: comments, {@code event:}, {@code id:}, and what no client reads
 */
public record SseEvent(@Nullable String data, List<String> notes) {

    public SseEvent {
        notes = List.copyOf(notes);
    }

    /**
     * Reads a frame.
     *
     * @param frame one event, with or without its blank line
     * @throws DialectException when it is not UTF-8
     */
    public static SseEvent parse(byte[] frame) {
        List<String> data = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        for (String line : (Iterable<String>) text(frame).lines()::iterator) {
            if (line.equals("data")) {
                data.add("");
            } else if (line.startsWith("data:")) {
                data.add(line.substring(line.startsWith("data: ") ? 6 : 5));
            } else if (!line.isEmpty()) {
                notes.add(line);
            }
        }
        return new SseEvent(data.isEmpty() ? null : String.join("\n", data), notes);
    }

    /** An event without a name, as a frame. */
    public static byte[] frame(JsonNode data) {
        return frame("data: ", StrictJson.bytes(data));
    }

    /** An event with a name, as a frame. */
    public static byte[] frame(String name, JsonNode data) {
        return frame("event: " + name + "\ndata: ", StrictJson.bytes(data));
    }

    /** A line that no client reads, as a frame. */
    public static byte[] comment(String text) {
        return frame(": " + text, new byte[0]);
    }

    private static byte[] frame(String before, byte[] data) {
        ByteArrayOutputStream frame = new ByteArrayOutputStream();
        frame.writeBytes(before.getBytes(StandardCharsets.UTF_8));
        frame.writeBytes(data);
        frame.writeBytes("\n\n".getBytes(StandardCharsets.UTF_8));
        return frame.toByteArray();
    }

    private static String text(byte[] frame) {
        try {
            String text = StrictJson.utf8(frame);
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (StrictJson.Malformed e) {
            throw new DialectException(GatewayError.upstream(
                    "the upstream sent an event that cannot be read: " + e.getMessage() + "; the stream was ended"));
        }
    }
}
