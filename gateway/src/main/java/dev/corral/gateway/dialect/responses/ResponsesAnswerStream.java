package dev.corral.gateway.dialect.responses;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.FrameContent;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.gateway.dialect.Voices;
import dev.corral.gateway.dialect.Words;
import dev.corral.gateway.dialect.responses.ResponseWriter.Ending;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One streamed response. Where it is ended early, each item that has begun is said to be incomplete, without its text,
 * which is with the client as far as it was allowed; then follow a last item with the text, and the event that ends it all,
 * with the response as far as it is the gateway's own.
 */
final class ResponsesAnswerStream implements AnswerStream {

    /** Comments and event names up to this length are keep-alives and the like; longer ones are judged. */
    private static final int MAX_NOTE = 64;

    /** After these comes nothing. */
    static final Set<String> LAST = Set.of("response.completed", "response.incomplete", "response.failed", "error");

    /** The events of calls, and the field of the item that grows by them. */
    static final Map<String, String> CALLS = Map.of(
            "response.function_call_arguments", "arguments",
            "response.mcp_call_arguments", "arguments",
            "response.custom_tool_call_input", "input",
            "response.code_interpreter_call_code", "code");

    private final ResponseReader reader;
    private final Voices voices = new Voices();
    private ResponseWriter writer;
    private final TreeMap<Integer, ObjectNode> open = new TreeMap<>();
    private long sequence;
    private int items;
    private boolean begun;
    private boolean over;
    private Map<Integer, ObjectNode> openPassed = Map.of();
    private long sequencePassed;
    private int itemsPassed;
    private boolean begunPassed;
    private boolean overPassed;

    /**
     * A stream that has not begun.
     *
     * @param writer for what is to be said before the upstream said its identifier
     */
    ResponsesAnswerStream(ModeratedRequest request, ResponseWriter writer) {
        this.reader = new ResponseReader(request);
        this.writer = writer;
    }

    @Override
    public FrameContent accept(byte[] frame) {
        SseEvent event = SseEvent.parse(frame);
        int added = 0;
        for (String note : event.notes()) {
            if (note.length() > MAX_NOTE) {
                added +=
                        reader.once("a line of the stream that is not data", JsonNodeFactory.instance.stringNode(note));
            }
        }
        String data = event.data();
        boolean end = data != null && data.strip().equals("[DONE]");
        if (data != null && !data.isBlank() && !end) {
            JsonNode said = StrictJson.event(data);
            added += said.isObject() ? acceptEvent(said) : reader.opaque("event", "an event of the stream");
            end = LAST.contains(said.path("type").asString(""));
        }
        over |= end;
        return voices.content(added, end);
    }

    @Override
    public Answer soFar() {
        return reader.answer();
    }

    @Override
    public void passed() {
        openPassed = new TreeMap<>(open);
        sequencePassed = sequence;
        itemsPassed = items;
        begunPassed = begun;
        overPassed = over;
    }

    @Override
    public List<byte[]> refusalFrames(String message) {
        return terminal(Ending.REFUSAL, message);
    }

    @Override
    public List<byte[]> replyFrames(String message) {
        return terminal(Ending.REPLY, message);
    }

    private List<byte[]> terminal(Ending ending, String message) {
        if (overPassed) {
            return List.of();
        }
        if (!begunPassed) {
            return writer.stream(ending, message);
        }
        List<byte[]> frames = new ArrayList<>();
        openPassed.forEach(
                (output, item) -> frames.add(ResponseWriter.unfinished(sequencePassed + frames.size(), output, item)));
        frames.addAll(writer.end(ending, message, sequencePassed + frames.size(), itemsPassed));
        return frames;
    }

    @Override
    public long nextNumber() {
        return sequencePassed;
    }

    private int acceptEvent(JsonNode event) {
        Fields fields = new Fields(event, "");
        JsonNode typed = fields.take("type");
        String type = typed != null && typed.isString() ? typed.stringValue() : "";
        begun = true;
        JsonNode number = fields.take("sequence_number");
        sequence = number != null && number.isIntegralNumber() && number.canConvertToLong()
                ? number.asLong() + 1
                : sequence + 1;
        int added = reader.neutral(typed, "type");
        for (String identifier : List.of("item_id", "obfuscation")) {
            added += reader.neutral(fields.take(identifier), identifier);
        }
        int output = index(fields.take("output_index"));
        int content = index(fields.take("content_index"));
        int summary = index(fields.take("summary_index"));
        fields.take("annotation_index");
        items = Math.max(items, event.has("output_index") ? output + 1 : 0);
        String item = ResponseReader.item(output);
        String part = item + ".content[" + content + "]";
        String thought = item + ".summary[" + summary + "]";
        int said = switch (type) {
            case "response.created",
                    "response.in_progress",
                    "response.queued",
                    "response.completed",
                    "response.incomplete",
                    "response.failed" -> response(fields.take("response"));
            case "response.output_item.added" ->
                taken(fields, "item", value -> {
                    open.put(output, unfinished(value));
                    return reader.acceptItem(output, value);
                });
            case "response.output_item.done" -> {
                open.remove(output);
                yield taken(fields, "item", value -> reader.acceptItem(output, value));
            }
            case "response.content_part.added", "response.content_part.done" ->
                taken(fields, "part", value -> reader.acceptPart(part, value));
            case "response.reasoning_summary_part.added", "response.reasoning_summary_part.done" ->
                taken(fields, "part", value -> reader.acceptPart(thought, value));
            case "response.output_text.delta" -> {
                JsonNode delta = fields.take("delta");
                JsonNode tokens = fields.take("logprobs");
                yield reader.append(part + ".text", delta)
                        + (tokens == null
                                ? 0
                                : reader.spelled(
                                        tokens,
                                        delta == null ? "" : delta.asString(""),
                                        part + ".logprobs[" + sequence + "]"));
            }
            case "response.output_text.done" -> {
                JsonNode text = fields.take("text");
                JsonNode tokens = fields.take("logprobs");
                yield reader.settle(part + ".text", text)
                        + (tokens == null
                                ? 0
                                : reader.spelled(tokens, text == null ? "" : text.asString(""), part + ".logprobs"));
            }
            case "response.refusal.delta" -> reader.append(part + ".refusal", fields.take("delta"));
            case "response.refusal.done" -> reader.settle(part + ".refusal", fields.take("refusal"));
            case "response.reasoning_text.delta" -> reader.append(part + ".reasoning", fields.take("delta"));
            case "response.reasoning_text.done" -> reader.settle(part + ".reasoning", fields.take("text"));
            case "response.reasoning_summary_text.delta" -> reader.append(thought + ".reasoning", fields.take("delta"));
            case "response.reasoning_summary_text.done" -> reader.settle(thought + ".reasoning", fields.take("text"));
            case "response.output_text.annotation.added" ->
                taken(fields, "annotation", value -> reader.once(part + ".annotations", value));
            case "response.audio.transcript.delta" -> reader.append(item + ".transcript", fields.take("delta"));
            case "error" -> error(fields);
            default -> input(type, fields, item);
        };
        added += voices.hear(reader.voice(item), () -> said);
        return added + reader.unread(fields);
    }

    /** Calls come word by word, too; what is left are events that only say how far something is, and unknown ones. */
    private int input(String type, Fields fields, String item) {
        for (Map.Entry<String, String> call : CALLS.entrySet()) {
            if (type.equals(call.getKey() + ".delta")) {
                return reader.append(item + "." + call.getValue(), fields.take("delta"));
            }
            if (type.equals(call.getKey() + ".done")) {
                JsonNode name = fields.take("name");
                return reader.settle(item + "." + call.getValue(), fields.take(call.getValue()))
                        + reader.name(item, name, "");
            }
        }
        return 0;
    }

    private int response(@Nullable JsonNode response) {
        if (response == null) {
            return 0;
        }
        writer = new ResponseWriter(
                identifier(response.path("id"), writer.id()),
                writer.itemId(),
                identifier(response.path("model"), writer.model()),
                response.path("created_at").asLong(writer.createdAt()));
        items = Math.max(items, response.path("output").size());
        return reader.acceptResponse(response);
    }

    /** An item by its identifiers, without a word that was said in it. */
    private static ObjectNode unfinished(JsonNode item) {
        ObjectNode unfinished = JsonNodeFactory.instance.objectNode();
        for (String name : List.of("id", "type", "role", "call_id", "name")) {
            String value = identifier(item.path(name), "");
            if (!value.isEmpty()) {
                unfinished.put(name, value);
            }
        }
        unfinished.put("status", "incomplete");
        for (String name : List.of("content", "summary")) {
            if (item.path(name).isArray()) {
                unfinished.putArray(name);
            }
        }
        for (String name : CALLS.values()) {
            if (item.path(name).isString()) {
                unfinished.put(name, "");
            }
        }
        return unfinished;
    }

    private int error(Fields fields) {
        int added = 0;
        for (String name : List.of("code", "param", "message", "error")) {
            JsonNode value = fields.take(name);
            added += value == null ? 0 : reader.once(name, value);
        }
        return added;
    }

    private static int taken(Fields fields, String name, ToIntFunction<JsonNode> reading) {
        JsonNode value = fields.take(name);
        return value == null ? 0 : reading.applyAsInt(value);
    }

    private static int index(@Nullable JsonNode value) {
        return value != null && value.isIntegralNumber() && value.canConvertToInt() ? value.asInt() : 0;
    }

    private static String identifier(JsonNode value, String otherwise) {
        return value.isString() && Words.isNeutral(value) ? value.stringValue() : otherwise;
    }
}
