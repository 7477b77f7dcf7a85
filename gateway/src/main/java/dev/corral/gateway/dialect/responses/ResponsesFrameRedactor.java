package dev.corral.gateway.dialect.responses;

import dev.corral.gateway.dialect.FrameRedactor;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.policies.pattern.GrowingText;
import dev.corral.policies.policy.ContentSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Redacts one streamed response. */
final class ResponsesFrameRedactor implements FrameRedactor {

    /*
     * Events that add to a text leave with as much of it as is final. Before an event that says a text is complete, or its
     * part, its item or the whole response, what stayed of the texts leaves as one more addition: a copy of the last one
     * with the rest. Events that say whole texts are redacted as wholes, which is what the additions add up to.
     */

    private static final String DELTA = ".delta";

    private final Redactor redactor;
    private final Map<String, Growing> texts = new LinkedHashMap<>();

    private static final List<String> PLACE = List.of("output_index", "content_index", "summary_index");

    private record Growing(GrowingText text, ObjectNode last) {

        /** Whether an event speaks of this text's place, or of one around it. */
        boolean isWithin(JsonNode event) {
            return PLACE.stream()
                    .allMatch(index -> !event.has(index) || event.get(index).equals(last.path(index)));
        }

        List<byte[]> rest() {
            String rest = text.end();
            if (rest.isEmpty()) {
                return List.of();
            }
            ObjectNode addition = last.deepCopy();
            addition.put("delta", rest);
            if (addition.has("logprobs")) {
                addition.putArray("logprobs");
            }
            return List.of(frame(addition));
        }
    }

    ResponsesFrameRedactor(Redactor redactor) {
        this.redactor = redactor;
    }

    @Override
    public List<byte[]> redact(List<byte[]> frames) {
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

    @Override
    public List<byte[]> end() {
        return texts.values().stream().flatMap(text -> text.rest().stream()).toList();
    }

    private void redact(byte[] frame, JsonNode event, List<byte[]> redacted) {
        String type = event.path("type").asString("");
        if (type.endsWith(DELTA) && event.path("delta").isString() && event instanceof ObjectNode addition) {
            redacted.add(grow(frame, type, addition));
            return;
        }
        if (type.endsWith(".done") || ResponsesAnswerStream.LAST.contains(type)) {
            texts.values().stream().filter(text -> text.isWithin(event)).forEach(text -> redacted.addAll(text.rest()));
        }
        JsonNode without = without(type, event);
        redacted.add(without.equals(event) ? frame : frame(without));
    }

    private byte[] grow(byte[] frame, String type, ObjectNode addition) {
        String place =
                type + addition.path("output_index") + addition.path("content_index") + addition.path("summary_index");
        Growing known = texts.get(place);
        GrowingText text = known != null
                ? known.text
                : new GrowingText(whole -> redactor.redaction(whole, source(type)), redactor.holdBack());
        texts.put(place, new Growing(text, addition.deepCopy()));
        String delta = addition.path("delta").stringValue();
        text.append(delta);
        String piece = text.release();
        if (piece.equals(delta) && !addition.path("logprobs").isContainer()) {
            return frame;
        }
        addition.put("delta", piece);
        if (addition.path("logprobs").isContainer()) {
            addition.putArray("logprobs");
        }
        return frame(addition);
    }

    private JsonNode without(String type, JsonNode event) {
        if (!(event instanceof ObjectNode whole)) {
            return event;
        }
        ObjectNode redacted = whole.objectNode();
        whole.properties().forEach(field -> {
            JsonNode value = field.getValue();
            redacted.set(
                    field.getKey(),
                    switch (field.getKey()) {
                        case "response" -> value.isObject() ? ResponsesRedaction.response(value, redactor) : value;
                        case "item" -> ResponsesRedaction.item(value, ContentSource.ASSISTANT, redactor);
                        default -> ResponsesRedaction.FIELDS.redactField(field.getKey(), value, source(type), redactor);
                    });
        });
        return redacted;
    }

    private static ContentSource source(String type) {
        if (type.startsWith("response.reasoning")) {
            return ContentSource.REASONING;
        }
        boolean call = ResponsesAnswerStream.CALLS.keySet().stream().anyMatch(type::startsWith);
        return call ? ContentSource.TOOL_CALL : ContentSource.ASSISTANT;
    }

    private static byte[] frame(JsonNode event) {
        return SseEvent.frame(event.path("type").asString("message"), event);
    }
}
