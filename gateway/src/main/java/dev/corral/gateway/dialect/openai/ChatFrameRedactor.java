package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.GrowingTexts;
import dev.corral.gateway.dialect.Redactor;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.SseFrameRedactor;
import dev.corral.policies.policy.ContentSource;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Redacts one streamed completion. */
final class ChatFrameRedactor extends SseFrameRedactor {

    /*
     * Every text of every choice grows by itself: content, reasoning, refusal, the arguments of each call. A frame leaves
     * with as much of its texts as is final, in the place of what it brought; what stays leaves with a later frame of the
     * same text, or before the end of its choice. So the frames keep their number, order and identifiers, and only texts
     * change. Frames that bring no text leave as they came, byte for byte.
     *
     * Log probabilities spell the text once more, token by token: they go.
     */

    private final Form form;
    private final Redactor redactor;
    private final GrowingTexts<Place> texts;
    private JsonNode head = JsonNodeFactory.instance.objectNode();

    /** Where a text is: a field of a choice, or the arguments of one of its calls. */
    private record Place(int choice, String field, int call) {}

    ChatFrameRedactor(Form form, Redactor redactor) {
        this.form = form;
        this.redactor = redactor;
        this.texts = new GrowingTexts<>(redactor);
    }

    @Override
    public List<byte[]> end() {
        List<byte[]> frames = new ArrayList<>();
        texts.places().stream().map(Place::choice).distinct().sorted().forEach(choice -> {
            ObjectNode rest = rest(choice);
            if (!rest.isEmpty()) {
                frames.add(frame(choice, rest));
            }
        });
        return frames;
    }

    @Override
    protected void redact(byte[] frame, JsonNode chunk, List<byte[]> redacted) {
        if (!chunk.path("choices").isArray()) {
            redacted.add(SseEvent.frame(ChatRedaction.answer(chunk, redactor)));
            return;
        }
        if (head.isEmpty()) {
            ObjectNode first = JsonNodeFactory.instance.objectNode();
            for (String field : List.of("id", "object", "created", "model")) {
                if (chunk.has(field)) {
                    first.set(field, chunk.get(field));
                }
            }
            head = first;
        }
        boolean changed = false;
        int position = 0;
        for (JsonNode choice : chunk.path("choices").values()) {
            int index = choice.path("index").asInt(position++);
            changed |= grow(index, choice);
            if (choice.path("finish_reason").isString()) {
                changed |= lastWords(index, choice);
            }
        }
        redacted.add(changed ? SseEvent.frame(chunk) : frame);
    }

    /** Puts in the place of each text that came what may leave of it; whether anything changed. */
    private boolean grow(int index, JsonNode choice) {
        boolean changed = false;
        if (choice instanceof ObjectNode object && choice.path("logprobs").isObject()) {
            object.putNull("logprobs");
            changed = true;
        }
        JsonNode words = form == Form.TEXT ? choice : choice.path("delta");
        if (words instanceof ObjectNode object) {
            changed |= grow(index, object, ContentSource.ASSISTANT, "", 0);
        }
        return changed;
    }

    /** What stayed of a choice's texts leaves with the frame that ends it, behind the words that this brings itself. */
    private boolean lastWords(int index, JsonNode choice) {
        ObjectNode rest = rest(index);
        if (rest.isEmpty() || !(choice instanceof ObjectNode object)) {
            return false;
        }
        ObjectNode delta = form == Form.TEXT ? object : object.withObject("/delta");
        rest.properties().forEach(field -> {
            JsonNode own = delta.path(field.getKey());
            delta.set(
                    field.getKey(),
                    own.isString() && field.getValue().isString()
                            ? JsonNodeFactory.instance.stringNode(
                                    own.stringValue() + field.getValue().stringValue())
                            : field.getValue());
        });
        return true;
    }

    private boolean grow(int index, ObjectNode node, ContentSource source, String path, int call) {
        boolean changed = false;
        for (String name : List.copyOf(node.propertyNames())) {
            JsonNode value = node.get(name);
            String field = path + "/" + name;
            ContentSource within = ChatRedaction.FIELDS.source(node, name, source);
            if (!ChatRedaction.FIELDS.isText(node, name)) {
                continue;
            }
            if (value.isString() && !value.stringValue().isEmpty()) {
                String piece = texts.grow(new Place(index, field, call), value.stringValue(), within);
                changed |= !piece.equals(value.stringValue());
                node.put(name, piece);
            } else if (value instanceof ObjectNode inner) {
                changed |= grow(index, inner, within, field, call);
            } else if (value instanceof ArrayNode list) {
                for (int i = 0; i < list.size(); i++) {
                    if (list.get(i) instanceof ObjectNode inner) {
                        changed |= grow(
                                index, inner, within, field, inner.path("index").asInt(i));
                    }
                }
            }
        }
        return changed;
    }

    /** All that stayed of one choice's texts, as a delta. */
    private ObjectNode rest(int index) {
        ObjectNode delta = JsonNodeFactory.instance.objectNode();
        for (Place place : texts.places()) {
            String rest = place.choice == index ? texts.end(place) : "";
            if (!rest.isEmpty()) {
                put(delta, place, rest);
            }
        }
        return delta;
    }

    private byte[] frame(int index, ObjectNode delta) {
        ObjectNode chunk = JsonNodeFactory.instance.objectNode();
        head.properties().forEach(field -> chunk.set(field.getKey(), field.getValue()));
        ObjectNode choice = JsonNodeFactory.instance.objectNode().put("index", index);
        if (form == Form.TEXT) {
            choice.setAll(delta);
        } else {
            choice.set("delta", delta);
        }
        choice.putNull("logprobs").putNull("finish_reason");
        chunk.putArray("choices").add(choice);
        return SseEvent.frame(chunk);
    }

    private static void put(ObjectNode delta, Place place, String rest) {
        String[] names = place.field.substring(1).split("/", -1);
        ObjectNode at = delta;
        for (int i = 0; i < names.length - 1; i++) {
            if (names[i].equals("tool_calls")) {
                ArrayNode calls = at.withArray(names[i]);
                ObjectNode call = JsonNodeFactory.instance.objectNode().put("index", place.call);
                calls.add(call);
                at = call;
            } else {
                at = at.withObject("/" + names[i]);
            }
        }
        at.put(names[names.length - 1], rest);
    }
}
