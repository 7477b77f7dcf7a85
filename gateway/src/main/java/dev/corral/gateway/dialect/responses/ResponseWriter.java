package dev.corral.gateway.dialect.responses;

import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.SseEvent;
import dev.corral.gateway.dialect.WireResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes answers of the gateway's own, in the form that OpenAI's client libraries read.
 *
 * @param id of the response
 * @param itemId of its one item
 * @param createdAt seconds since 1970
 */
record ResponseWriter(String id, String itemId, String model, long createdAt) {

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** How an answer of the gateway's own ends, and what its one part is. */
    enum Ending {
        REFUSAL("incomplete", "refusal", "refusal", "response.refusal"),
        REPLY("completed", "output_text", "text", "response.output_text");

        private final String status;
        private final String part;
        private final String field;
        private final String event;

        Ending(String status, String part, String field, String event) {
            this.status = status;
            this.part = part;
            this.field = field;
            this.event = event;
        }
    }

    /** A whole answer. */
    WireResponse whole(Ending ending, String text) {
        return WireResponse.json(200, Map.of(), over(ending, text));
    }

    /** A whole stream. */
    List<byte[]> stream(Ending ending, String text) {
        List<byte[]> frames = new ArrayList<>();
        frames.add(event("response.created", 0, "response", response("in_progress")));
        frames.add(event("response.in_progress", 1, "response", response("in_progress")));
        frames.addAll(end(ending, text, 2, 0));
        return frames;
    }

    /**
     * The end of a stream: one more item with the text, and the last event.
     *
     * @param sequence the number of the first event
     * @param output the item's place among the items of the answer
     */
    List<byte[]> end(Ending ending, String text, long sequence, int output) {
        long number = sequence;
        List<byte[]> frames = new ArrayList<>();
        ObjectNode begun = item("in_progress");
        begun.putArray("content");
        frames.add(SseEvent.frame("response.output_item.added", itemEvent("added", number++, output, begun)));
        frames.add(part("response.content_part.added", number++, output, part(ending, "")));
        ObjectNode delta = place(ending.event + ".delta", number++, output).put("delta", text);
        ObjectNode done = place(ending.event + ".done", 0, output).put(ending.field, text);
        if (ending == Ending.REPLY) {
            delta.putArray("logprobs");
            done.putArray("logprobs");
        }
        frames.add(SseEvent.frame(ending.event + ".delta", delta));
        frames.add(SseEvent.frame(ending.event + ".done", done.put("sequence_number", number++)));
        frames.add(part("response.content_part.done", number++, output, part(ending, text)));
        frames.add(
                SseEvent.frame("response.output_item.done", itemEvent("done", number++, output, item(ending, text))));
        frames.add(event("response." + ending.status, number, "response", over(ending, text)));
        return frames;
    }

    /** The end of an item of the upstream's that has begun and never will be whole. */
    static byte[] unfinished(long sequence, int output, ObjectNode item) {
        return SseEvent.frame("response.output_item.done", itemEvent("done", sequence, output, item));
    }

    /** An error in the middle of a stream. */
    static byte[] error(GatewayError error, long sequence) {
        return SseEvent.frame(
                "error",
                JSON.objectNode()
                        .put("type", "error")
                        .put("sequence_number", sequence)
                        .put("code", error.code() == null ? error.type() : error.code())
                        .put("message", error.message())
                        .put("param", error.param()));
    }

    private ObjectNode over(Ending ending, String text) {
        ObjectNode response = response(ending.status);
        if (ending == Ending.REFUSAL) {
            response.putObject("incomplete_details").put("reason", "content_filter");
        }
        response.withArray("output").add(item(ending, text));
        ObjectNode usage = response.putObject("usage").put("input_tokens", 0);
        usage.putObject("input_tokens_details").put("cached_tokens", 0);
        usage.put("output_tokens", 0).putObject("output_tokens_details").put("reasoning_tokens", 0);
        usage.put("total_tokens", 0);
        return response;
    }

    private ObjectNode response(String status) {
        ObjectNode response = JSON.objectNode()
                .put("id", id)
                .put("object", "response")
                .put("created_at", createdAt)
                .put("status", status);
        response.putNull("error").putNull("incomplete_details").putNull("instructions");
        response.putObject("metadata");
        response.put("model", model).putArray("output");
        response.put("parallel_tool_calls", true).putNull("temperature").put("tool_choice", "auto");
        response.putArray("tools");
        return response.putNull("top_p").putNull("usage");
    }

    private ObjectNode item(String status) {
        return JSON.objectNode()
                .put("id", itemId)
                .put("type", "message")
                .put("status", status)
                .put("role", "assistant");
    }

    private ObjectNode item(Ending ending, String text) {
        ObjectNode item = item(ending.status);
        item.putArray("content").add(part(ending, text));
        return item;
    }

    private static ObjectNode part(Ending ending, String text) {
        ObjectNode part = JSON.objectNode().put("type", ending.part).put(ending.field, text);
        if (ending == Ending.REPLY) {
            part.putArray("annotations");
            part.putArray("logprobs");
        }
        return part;
    }

    private byte[] part(String event, long sequence, int output, ObjectNode part) {
        ObjectNode data = place(event, sequence, output);
        data.set("part", part);
        return SseEvent.frame(event, data);
    }

    private ObjectNode place(String event, long sequence, int output) {
        return JSON.objectNode()
                .put("type", event)
                .put("sequence_number", sequence)
                .put("item_id", itemId)
                .put("output_index", output)
                .put("content_index", 0);
    }

    private static ObjectNode itemEvent(String what, long sequence, int output, ObjectNode item) {
        ObjectNode data = JSON.objectNode()
                .put("type", "response.output_item." + what)
                .put("sequence_number", sequence)
                .put("output_index", output);
        data.set("item", item);
        return data;
    }

    private static byte[] event(String name, long sequence, String field, ObjectNode value) {
        ObjectNode data = JSON.objectNode().put("type", name).put("sequence_number", sequence);
        data.set(field, value);
        return SseEvent.frame(name, data);
    }
}
