package dev.corral.clients;

import static dev.corral.gateway.testing.Completions.quoted;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.gateway.testing.Completions;
import java.util.ArrayList;
import java.util.List;

/** What a backend says on the wire, in full: these clients insist on every field. */
enum Backend {
    OPENAI("text/event-stream") {
        @Override
        String whole(String text) {
            return Completions.whole(text);
        }

        @Override
        String call(String city) {
            return "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"llama\",\"choices\":["
                    + "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_1\","
                    + "\"type\":\"function\",\"function\":{\"name\":\"weather\",\"arguments\":"
                    + quoted("{\"city\":\"" + city + "\"}") + "}}]},\"finish_reason\":\"tool_calls\"}],"
                    + "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}";
        }

        @Override
        List<byte[]> stream(String... texts) {
            return Completions.stream(texts);
        }
    },
    ANTHROPIC("text/event-stream") {
        private static final String HEAD =
                "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"llama\",\"stop_sequence\":null,"
                        + "\"usage\":{\"input_tokens\":1,\"output_tokens\":1},";

        @Override
        String whole(String text) {
            return HEAD + "\"content\":[{\"type\":\"text\",\"text\":" + quoted(text)
                    + "}],\"stop_reason\":\"end_turn\"}";
        }

        @Override
        String call(String city) {
            return HEAD
                    + "\"content\":[{\"type\":\"tool_use\",\"id\":\"call_1\",\"name\":\"weather\",\"input\":{\"city\":"
                    + quoted(city) + "}}],\"stop_reason\":\"tool_use\"}";
        }

        @Override
        List<byte[]> stream(String... texts) {
            List<byte[]> frames = new ArrayList<>();
            frames.add(event("message_start", "\"message\":" + HEAD + "\"content\":[],\"stop_reason\":null}"));
            frames.add(event("content_block_start", "\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}"));
            for (String text : texts) {
                frames.add(event(
                        "content_block_delta",
                        "\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":" + quoted(text) + "}"));
            }
            frames.add(event("content_block_stop", "\"index\":0"));
            frames.add(event(
                    "message_delta",
                    "\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":5}"));
            frames.add(event("message_stop", ""));
            return frames;
        }

        private static byte[] event(String type, String fields) {
            return ("event: " + type + "\ndata: {\"type\":\"" + type + "\"" + (fields.isEmpty() ? "" : "," + fields)
                            + "}\n\n")
                    .getBytes(UTF_8);
        }
    },
    OLLAMA("application/x-ndjson") {
        private static final String HEAD = "{\"model\":\"llama\",\"created_at\":\"2026-01-01T00:00:00Z\",";
        private static final String END = "\"done\":true,\"done_reason\":\"stop\",\"total_duration\":5,"
                + "\"load_duration\":1,\"prompt_eval_count\":1,\"prompt_eval_duration\":1,\"eval_count\":1,"
                + "\"eval_duration\":1}";

        @Override
        String whole(String text) {
            return HEAD + "\"message\":{\"role\":\"assistant\",\"content\":" + quoted(text) + "}," + END;
        }

        @Override
        String call(String city) {
            return HEAD
                    + "\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":"
                    + "\"weather\",\"arguments\":{\"city\":" + quoted(city) + "}}}]}," + END;
        }

        @Override
        List<byte[]> stream(String... texts) {
            List<byte[]> lines = new ArrayList<>();
            for (String text : texts) {
                lines.add((HEAD + "\"message\":{\"role\":\"assistant\",\"content\":" + quoted(text)
                                + "},\"done\":false}\n")
                        .getBytes(UTF_8));
            }
            lines.add((whole("") + "\n").getBytes(UTF_8));
            return lines;
        }
    };

    final String streamType;

    Backend(String streamType) {
        this.streamType = streamType;
    }

    /** A whole answer with this text. */
    abstract String whole(String text);

    /** A whole answer that calls {@code weather}. */
    abstract String call(String city);

    /** The frames of a stream with these texts. */
    abstract List<byte[]> stream(String... texts);
}
