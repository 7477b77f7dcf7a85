package dev.corral.gateway.dialect;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** Redacts a stream of events with JSON in them. What has no data, such as a comment, leaves as it came. */
public abstract class SseFrameRedactor implements FrameRedactor {

    @Override
    public final List<byte[]> redact(List<byte[]> frames) {
        List<byte[]> redacted = new ArrayList<>();
        for (byte[] frame : frames) {
            String data = SseEvent.parse(frame).data();
            if (data == null || data.isBlank()) {
                redacted.add(frame);
            } else if (data.strip().equals("[DONE]")) {
                redacted.addAll(end());
                redacted.add(frame);
            } else {
                redact(frame, StrictJson.event(data), redacted);
            }
        }
        return redacted;
    }

    /**
     * Redacts one event.
     *
     * @param event what is in the frame; may be changed
     * @param redacted gets what may leave
     */
    protected abstract void redact(byte[] frame, JsonNode event, List<byte[]> redacted);
}
