package dev.corral.gateway.moderation;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.anthropic.AnthropicMessages;
import dev.corral.gateway.dialect.llamastack.LlamaStackApi;
import dev.corral.gateway.dialect.llamastack.LlamaStackInference;
import dev.corral.gateway.dialect.ollama.Ollama;
import dev.corral.gateway.dialect.ollama.OllamaApi;
import dev.corral.gateway.dialect.openai.OpenAiChat;
import dev.corral.gateway.dialect.openai.OpenAiCompletions;
import dev.corral.gateway.dialect.responses.OpenAiResponses;
import dev.corral.gateway.testing.Completions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * A streamed answer in each dialect that has streams: what comes before the texts, a frame for each, the same said by other
 * voices, what comes after.
 */
enum StreamSample {
    OPENAI_CHAT(
            new OpenAiChat(StreamSample.Fixed.CLOCK),
            List.of(Completions.role()),
            "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%s},\"finish_reason\":null}]}\n\n",
            List.of(
                    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":%s}}]}\n\n",
                    "data: {\"id\":\"c\",\"choices\":[{\"index\":1,\"delta\":{\"content\":%s}}]}\n\n",
                    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":%s}}]}}]}\n\n",
                    "data: {\"id\":\"c\",\"choices\":[{\"index\":1,\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":%s}}]}}]}\n\n"),
            List.of(Completions.stop(), Completions.DONE)),
    OPENAI_COMPLETIONS(
            new OpenAiCompletions(StreamSample.Fixed.CLOCK),
            List.of(": ping\n\n"),
            "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"text\":%s,\"finish_reason\":null}]}\n\n",
            List.of("data: {\"id\":\"c\",\"choices\":[{\"index\":2,\"text\":%s,\"finish_reason\":null}]}\n\n"),
            List.of(Completions.DONE)),
    OPENAI_RESPONSES(
            new OpenAiResponses(StreamSample.Fixed.CLOCK),
            List.of(
                    "event: a\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\","
                            + "\"output\":[]}}\n\n",
                    "event: a\ndata: {\"type\":\"response.output_item.added\",\"sequence_number\":1,\"output_index\":0,"
                            + "\"item\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[]}}\n\n"),
            "event: a\ndata: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"content_index\":0,\"delta\":%s}\n\n",
            List.of(
                    "event: a\ndata: {\"type\":\"response.reasoning_summary_text.delta\",\"output_index\":1,\"summary_index\":0,\"delta\":%s}\n\n",
                    "event: a\ndata: {\"type\":\"response.refusal.delta\",\"output_index\":0,\"content_index\":1,\"delta\":%s}\n\n",
                    "event: a\ndata: {\"type\":\"response.function_call_arguments.delta\",\"output_index\":2,\"delta\":%s}\n\n"),
            List.of("event: a\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}\n\n")),
    ANTHROPIC(
            new AnthropicMessages(),
            List.of(
                    "event: a\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"content\":[]}}\n\n",
                    "event: a\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\","
                            + "\"text\":\"\"}}\n\n"),
            "event: a\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":%s}}\n\n",
            List.of(
                    "event: a\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":%s}}\n\n",
                    "event: a\ndata: {\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":%s}}\n\n"),
            List.of("event: a\ndata: {\"type\":\"message_stop\"}\n\n")),
    OLLAMA_CHAT(
            new Ollama(OllamaApi.CHAT, StreamSample.Fixed.CLOCK),
            List.of(),
            "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":%s},\"done\":false}\n",
            List.of(
                    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"thinking\":%s},\"done\":false}\n",
                    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":%s}}}]},\"done\":false}\n"),
            List.of("{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true}\n")),
    OLLAMA_GENERATE(
            new Ollama(OllamaApi.GENERATE, StreamSample.Fixed.CLOCK),
            List.of(),
            "{\"model\":\"m\",\"response\":%s,\"done\":false}\n",
            List.of("{\"model\":\"m\",\"response\":\"\",\"thinking\":%s,\"done\":false}\n"),
            List.of("{\"model\":\"m\",\"response\":\"\",\"done\":true}\n")),
    LLAMA_STACK_CHAT(
            new LlamaStackInference(LlamaStackApi.CHAT),
            List.of("data: {\"event\":{\"event_type\":\"start\",\"delta\":{\"type\":\"text\",\"text\":\"\"}}}\n\n"),
            "data: {\"event\":{\"event_type\":\"progress\",\"delta\":{\"type\":\"text\",\"text\":%s}}}\n\n",
            List.of(
                    "data: {\"event\":{\"event_type\":\"progress\",\"delta\":{\"type\":\"tool_call\",\"tool_call\":%s,\"parse_status\":\"in_progress\"}}}\n\n"),
            List.of("data: {\"event\":{\"event_type\":\"complete\",\"delta\":{\"type\":\"text\",\"text\":\"\"},"
                    + "\"stop_reason\":\"end_of_turn\"}}\n\n")),
    LLAMA_STACK_COMPLETION(
            new LlamaStackInference(LlamaStackApi.COMPLETION),
            List.of(),
            "data: {\"delta\":%s,\"stop_reason\":null}\n\n",
            List.of(),
            List.of("data: {\"delta\":\"\",\"stop_reason\":\"end_of_turn\"}\n\n"));

    private static final class Fixed {
        static final InstantSource CLOCK = InstantSource.fixed(Instant.EPOCH);

        private Fixed() {}
    }

    private final Dialect dialect;
    private final List<String> before;
    private final String text;
    private final List<String> otherVoices;
    private final List<String> after;

    StreamSample(Dialect dialect, List<String> before, String text, List<String> otherVoices, List<String> after) {
        this.dialect = dialect;
        this.before = before;
        this.text = text;
        this.otherVoices = otherVoices;
        this.after = after;
    }

    Dialect dialect() {
        return dialect;
    }

    /** One frame with a text. */
    byte[] frame(String words) {
        return text.formatted(Completions.quoted(words)).getBytes(UTF_8);
    }

    /** A whole stream of one voice. */
    byte[] stream(List<String> words) {
        return stream(words, () -> text);
    }

    /** A whole stream in which each word is said by any voice: an answer's text, its reasoning, a call, another choice. */
    byte[] stream(List<String> words, Random random) {
        List<String> voices =
                Stream.concat(Stream.of(text), otherVoices.stream()).toList();
        return stream(words, () -> voices.get(random.nextInt(voices.size())));
    }

    private byte[] stream(List<String> words, Supplier<String> voice) {
        List<String> frames = new ArrayList<>(before);
        words.forEach(each -> frames.add(voice.get().formatted(Completions.quoted(each))));
        frames.addAll(after);
        return String.join("", frames).getBytes(UTF_8);
    }
}
