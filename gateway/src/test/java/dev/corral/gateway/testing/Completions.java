package dev.corral.gateway.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

/** Requests and answers in OpenAI's form. */
public final class Completions {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    public static final String DONE = "data: [DONE]\n\n";

    private Completions() {}

    public static String request(String prompt) {
        return "{\"model\":\"llama\",\"messages\":[{\"role\":\"user\",\"content\":" + quoted(prompt) + "}]}";
    }

    public static String streamed(String prompt) {
        return "{\"model\":\"llama\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":" + quoted(prompt)
                + "}]}";
    }

    public static String whole(String text) {
        // the odd spaces are there to be kept
        return "{ \"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"llama\", \"choices\":[{"
                + "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":" + quoted(text)
                + "},\"finish_reason\":\"stop\"}]  ,\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,"
                + "\"total_tokens\":2}}\n";
    }

    public static String role() {
        return chunk("{\"role\":\"assistant\",\"content\":\"\"}", "null");
    }

    public static String delta(String text) {
        return chunk("{\"content\":" + quoted(text) + "}", "null");
    }

    public static String stop() {
        return chunk("{}", "\"stop\"");
    }

    private static String chunk(String delta, String finish) {
        return "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"llama\","
                + "\"choices\":[{\"index\":0,\"delta\":" + delta + ",\"finish_reason\":" + finish + "}]}\n\n";
    }

    /** A whole stream: the role, a piece for each text, the end. */
    public static List<byte[]> stream(String... texts) {
        List<byte[]> pieces = new ArrayList<>();
        pieces.add(role().getBytes(UTF_8));
        for (String text : texts) {
            pieces.add(delta(text).getBytes(UTF_8));
        }
        pieces.add(stop().getBytes(UTF_8));
        pieces.add(DONE.getBytes(UTF_8));
        return pieces;
    }

    public static String joined(List<byte[]> pieces) {
        StringBuilder joined = new StringBuilder();
        pieces.forEach(piece -> joined.append(new String(piece, UTF_8)));
        return joined.toString();
    }

    public static String quoted(String text) {
        return JSON.writeValueAsString(JsonNodeFactory.instance.stringNode(text));
    }
}
