package dev.corral.gateway.dialect.responses;

import dev.corral.gateway.dialect.GrowingTexts;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.SseFrameRedactor;
import dev.corral.policies.policy.ContentSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Redacts one streamed response. */
final class ResponsesFrameRedactor extends SseFrameRedactor {

    /*
     * Events that add to a text leave with as much of it as is final. Before an event that says a text is complete, or its
     * part, its item or the whole response, what stayed of the texts leaves as one more addition: a copy of the last one
     * with the rest. Events that say whole texts are redacted as wholes, which is what the additions add up to.
     */

    private static final String DELTA = ".delta";

    private static final List<String> INDICES = List.of("output_index", "content_index", "summary_index");

    private final Redactor redactor;
    private final GrowingTexts<Place> texts;

    /** By the text that it added to. */
    private final Map<Place, ObjectNode> lastAdditions = new HashMap<>();

    /** Where a text is: what adds to it, and the indices of its output, content and summary, in this order. */
    private record Place(String type, List<JsonNode> indices) {

        static Place of(JsonNode addition) {
            return new Place(
                    addition.path("type").asString(""),
                    INDICES.stream().map(addition::path).toList());
        }

        /** Whether an event speaks of this place, or of one around it. */
        boolean isWithin(JsonNode event) {
            return IntStream.range(0, INDICES.size())
                    .allMatch(i -> !event.has(INDICES.get(i))
                            || event.get(INDICES.get(i)).equals(indices.get(i)));
        }
    }

    ResponsesFrameRedactor(Redactor redactor) {
        this.redactor = redactor;
        this.texts = new GrowingTexts<>(redactor);
    }

    @Override
    public List<byte[]> end() {
        return texts.places().stream().flatMap(place -> rest(place).stream()).toList();
    }

    private List<byte[]> rest(Place place) {
        String rest = texts.end(place);
        if (rest.isEmpty()) {
            return List.of();
        }
        ObjectNode addition = Objects.requireNonNull(lastAdditions.get(place)).deepCopy();
        addition.put("delta", rest);
        if (addition.has("logprobs")) {
            addition.putArray("logprobs");
        }
        return List.of(frame(addition));
    }

    @Override
    protected void redact(byte[] frame, JsonNode event, List<byte[]> redacted) {
        String type = event.path("type").asString("");
        if (type.endsWith(DELTA) && event.path("delta").isString() && event instanceof ObjectNode addition) {
            redacted.add(grow(frame, type, addition));
            return;
        }
        if (type.endsWith(".done") || ResponsesAnswerStream.LAST.contains(type)) {
            texts.places().stream()
                    .filter(place -> place.isWithin(event))
                    .forEach(place -> redacted.addAll(rest(place)));
        }
        JsonNode without = without(type, event);
        redacted.add(without.equals(event) ? frame : frame(without));
    }

    private byte[] grow(byte[] frame, String type, ObjectNode addition) {
        Place place = Place.of(addition);
        lastAdditions.put(place, addition.deepCopy());
        String delta = addition.path("delta").stringValue();
        String piece = texts.grow(place, delta, source(type));
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
                        default ->
                            ResponsesRedaction.FIELDS.redactField(event, field.getKey(), value, source(type), redactor);
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
