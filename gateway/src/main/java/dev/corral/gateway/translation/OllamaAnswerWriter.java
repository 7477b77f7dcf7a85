package dev.corral.gateway.translation;

import dev.corral.gateway.dialect.NdjsonFrames;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Answers of chats, and the lines of their streams. A call is whole or not at all, so calls wait for the end. */
final class OllamaAnswerWriter extends AnswerWriter {

    private final SortedMap<Integer, Content.Call> calls = new TreeMap<>();
    private String model = "";
    private Stop stop = Stop.END;
    private Usage usage = Usage.UNKNOWN;

    OllamaAnswerWriter(Letterhead head) {
        super(head);
    }

    @Override
    ObjectNode whole(WholeAnswer answer) {
        model = answer.model();
        ObjectNode line = line(RequestWriter.spoken(answer.content()));
        String thoughts = RequestWriter.thoughts(answer.content());
        if (!thoughts.isEmpty()) {
            line.withObject("message").put("thinking", thoughts);
        }
        calls(RequestWriter.calls(answer.content()), line);
        return last(line, answer.stop(), answer.usage());
    }

    @Override
    List<byte[]> write(Delta delta) {
        return switch (delta) {
            case Delta.Begin begin -> {
                model = begin.model();
                yield List.of();
            }
            case Delta.Thought thought -> {
                ObjectNode line = line("");
                line.withObject("message").put("thinking", thought.text());
                yield List.of(more(line));
            }
            case Delta.Text text -> List.of(more(line(text.text())));
            case Delta.Call call -> {
                calls.put(call.number(), new Content.Call(call.id(), call.name(), "", ""));
                yield List.of();
            }
            case Delta.Arguments more -> {
                calls.computeIfPresent(
                        more.number(),
                        (_, call) ->
                                new Content.Call(call.id(), call.name(), call.arguments() + more.text(), call.where()));
                yield List.of();
            }
            case Delta.Stopped stopped -> {
                stop = stopped.reason();
                yield called();
            }
            case Delta.Used used -> {
                usage = usage.and(used.usage());
                yield List.of();
            }
            case Delta.End _ -> List.of(NdjsonFrames.frame(last(line(""), stop, usage)));
            case Delta.Ping _ -> List.of();
            case Delta.Failed failed -> List.of(head.dialect().errorFrame(failed.error()));
        };
    }

    private List<byte[]> called() {
        if (calls.isEmpty()) {
            return List.of();
        }
        ObjectNode line = line("");
        calls(new ArrayList<>(calls.values()), line);
        calls.clear();
        return List.of(more(line));
    }

    private static void calls(List<Content.Call> calls, ObjectNode line) {
        if (calls.isEmpty()) {
            return;
        }
        ArrayNode list = line.withObject("message").putArray("tool_calls");
        for (int i = 0; i < calls.size(); i++) {
            Content.Call call = calls.get(i);
            list.addObject()
                    .put("id", call.id())
                    .putObject("function")
                    .put("index", i)
                    .put("name", call.name())
                    .set("arguments", arguments(call.name(), call.arguments()));
        }
    }

    private ObjectNode line(String text) {
        ObjectNode line = JSON.objectNode()
                .put("model", model)
                .put("created_at", head.created().toString());
        line.putObject("message").put("role", "assistant").put("content", text);
        return line;
    }

    private static byte[] more(ObjectNode line) {
        return NdjsonFrames.frame(line.put("done", false));
    }

    private static ObjectNode last(ObjectNode line, Stop stop, Usage usage) {
        return line.put("done", true)
                .put("done_reason", stop.ollama())
                .put("prompt_eval_count", usage.input())
                .put("eval_count", usage.output());
    }
}
