package dev.corral.gateway.dialect.anthropic;

import dev.corral.gateway.dialect.GrowingTexts;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.SseFrameRedactor;
import dev.corral.policies.policy.ContentSource;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Redacts one streamed message. Each text of each block grows by itself; what stays of it leaves in a delta of its own
 * before the block ends. Frames that bring no text leave as they came, byte for byte.
 */
final class MessageFrameRedactor extends SseFrameRedactor {

    private static final Map<String, String> GROWING =
            Map.of("text_delta", "text", "thinking_delta", "thinking", "input_json_delta", "partial_json");

    private record Place(int block, String delta) {}

    private final Redactor redactor;
    private final GrowingTexts<Place> texts;

    MessageFrameRedactor(Redactor redactor) {
        this.redactor = redactor;
        this.texts = new GrowingTexts<>(redactor);
    }

    @Override
    public List<byte[]> end() {
        return texts.places().stream().flatMap(place -> rest(place).stream()).toList();
    }

    @Override
    protected void redact(byte[] frame, JsonNode event, List<byte[]> redacted) {
        int index = event.path("index").asInt(0);
        switch (event.path("type").asString("")) {
            case "content_block_start" -> redacted.add(begin(index, frame, event));
            case "content_block_delta" -> redacted.add(grow(index, frame, event));
            case "content_block_stop" -> {
                texts.places().stream()
                        .filter(place -> place.block == index)
                        .forEach(place -> redacted.addAll(rest(place)));
                redacted.add(frame);
            }
            case "message_delta", "message_stop" -> {
                redacted.addAll(end());
                redacted.add(whole(frame, event));
            }
            default -> redacted.add(whole(frame, event));
        }
    }

    /** A block may begin with a text already, to which its deltas are added. */
    private byte[] begin(int index, byte[] frame, JsonNode event) {
        JsonNode block = event.path("content_block");
        String type = block.path("type").asString("");
        String text = block.path(type).asString("");
        if (text.isEmpty() || !GROWING.containsKey(type + "_delta") || !(block instanceof ObjectNode begun)) {
            return whole(frame, event);
        }
        return replaced(frame, event, begun, type, texts.grow(new Place(index, type + "_delta"), text, source(type)));
    }

    private byte[] grow(int index, byte[] frame, JsonNode event) {
        String type = event.path("delta").path("type").asString("");
        String field = GROWING.getOrDefault(type, "");
        String text = event.path("delta").path(field).asString("");
        if (text.isEmpty() || !(event.path("delta") instanceof ObjectNode delta)) {
            return whole(frame, event);
        }
        return replaced(frame, event, delta, field, texts.grow(new Place(index, type), text, source(type)));
    }

    private static byte[] replaced(byte[] frame, JsonNode event, ObjectNode within, String field, String leaves) {
        if (within.path(field).asString("").equals(leaves) || !(event instanceof ObjectNode changed)) {
            return frame;
        }
        within.put(field, leaves);
        return MessageWriter.frame(changed);
    }

    private byte[] whole(byte[] frame, JsonNode event) {
        JsonNode redacted = MessageTexts.MESSAGES.redacted(event, ContentSource.ASSISTANT, redactor);
        return redacted.equals(event) || !(redacted instanceof ObjectNode changed)
                ? frame
                : MessageWriter.frame(changed);
    }

    private List<byte[]> rest(Place place) {
        String rest = texts.end(place);
        return rest.isEmpty()
                ? List.of()
                : List.of(
                        MessageWriter.delta(place.block, place.delta, GROWING.getOrDefault(place.delta, "text"), rest));
    }

    private static ContentSource source(String type) {
        return type.startsWith("thinking")
                ? ContentSource.REASONING
                : type.startsWith("input_json") ? ContentSource.TOOL_CALL : ContentSource.ASSISTANT;
    }
}
