package dev.corral.gateway.refusal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.dialect.WireResponse;
import dev.corral.gateway.dialect.anthropic.AnthropicMessages;
import dev.corral.gateway.dialect.anthropic.AnthropicTokenCount;
import dev.corral.gateway.dialect.llamastack.LlamaStackApi;
import dev.corral.gateway.dialect.llamastack.LlamaStackInference;
import dev.corral.gateway.dialect.ollama.Ollama;
import dev.corral.gateway.dialect.ollama.OllamaApi;
import dev.corral.gateway.dialect.ollama.OllamaEmbeddings;
import dev.corral.gateway.dialect.openai.OpenAiChat;
import dev.corral.gateway.dialect.openai.OpenAiCompletions;
import dev.corral.gateway.dialect.openai.OpenAiEmbeddings;
import dev.corral.gateway.dialect.responses.OpenAiResponses;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.BlockStyle;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.Finding;
import dev.corral.policies.taxonomy.StandardHazard;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each file below {@code refusals} is all that a dialect says of a block in one style. */
class RefusalsTests {

    private static final InstantSource CLOCK = InstantSource.fixed(Instant.ofEpochSecond(1_700_000_000));

    private static final Map<String, Dialect> DIALECTS = dialects();

    private static Map<String, Dialect> dialects() {
        Map<String, Dialect> dialects = new LinkedHashMap<>();
        dialects.put("openai-chat", new OpenAiChat(CLOCK));
        dialects.put("openai-completions", new OpenAiCompletions(CLOCK));
        dialects.put("openai-responses", new OpenAiResponses(CLOCK));
        dialects.put("openai-embeddings", new OpenAiEmbeddings());
        dialects.put("ollama-embeddings", new OllamaEmbeddings());
        dialects.put("anthropic-messages", new AnthropicMessages());
        dialects.put("anthropic-count", new AnthropicTokenCount());
        dialects.put("ollama-chat", new Ollama(OllamaApi.CHAT, CLOCK));
        dialects.put("ollama-generate", new Ollama(OllamaApi.GENERATE, CLOCK));
        dialects.put("llamastack-chat", new LlamaStackInference(LlamaStackApi.CHAT));
        dialects.put("llamastack-completion", new LlamaStackInference(LlamaStackApi.COMPLETION));
        return dialects;
    }

    /** The first frames of a stream in each dialect, which have passed. */
    private static final Map<String, String> BEGUN = Map.of(
            "openai-chat",
            "data: {\"id\":\"chatcmpl-1\",\"created\":1,\"model\":\"llama\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"good\"}}]}\n\n",
            "openai-completions",
            "data: {\"id\":\"cmpl-1\",\"created\":1,\"model\":\"llama\",\"choices\":[{\"index\":0,\"text\":\"good\"}]}\n\n",
            "openai-responses",
            "data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"created_at\":1,\"model\":\"llama\",\"output\":[]}}\n\n"
                    + "data: {\"type\":\"response.output_text.delta\",\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":\"good\"}\n\n",
            "anthropic-messages",
            "data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"llama\",\"content\":[]}}\n\n"
                    + "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"good\"}}\n\n",
            "ollama-chat",
            "{\"model\":\"llama\",\"message\":{\"role\":\"assistant\",\"content\":\"good\"},\"done\":false}\n",
            "ollama-generate",
            "{\"model\":\"llama\",\"response\":\"good\",\"done\":false}\n",
            "llamastack-chat",
            "data: {\"event\":{\"event_type\":\"start\",\"delta\":{\"type\":\"text\",\"text\":\"good\"}}}\n\n",
            "llamastack-completion",
            "data: {\"delta\":\"good\",\"stop_reason\":null}\n\n");

    static Stream<Arguments> files() {
        return DIALECTS.keySet().stream()
                .flatMap(dialect -> Arrays.stream(BlockStyle.values()).map(style -> Arguments.of(dialect, style)));
    }

    @ParameterizedTest
    @MethodSource("files")
    void refusalWhenADialectAndAStyleAreGivenIsAsWrittenDown(String name, BlockStyle style) throws IOException {
        String file = "/refusals/" + name + "/" + style.name().toLowerCase(Locale.ROOT) + ".txt";
        try (InputStream expected = RefusalsTests.class.getResourceAsStream(file)) {
            assertThat(expected).as(file).isNotNull();
            assertThat(told(name, style)).isEqualTo(new String(expected.readAllBytes(), UTF_8));
        }
    }

    static String told(String name, BlockStyle style) {
        Dialect dialect = DIALECTS.get(name);
        Decision.Block block = new Decision.Block(
                List.of("rest"),
                List.of(
                        new Finding(StandardHazard.S10, new Probability(0.9), new Probability(0.5)),
                        new Finding(StandardHazard.S2, new Probability(0.6), new Probability(0.5))),
                "S10 is present",
                "This content must not pass.",
                style);
        StringBuilder told = new StringBuilder();
        boolean streams = BEGUN.containsKey(name);
        for (boolean stream : streams ? new boolean[] {false, true} : new boolean[] {false}) {
            ModeratedRequest request = new ModeratedRequest(new Conversation(List.of()), "llama", stream);
            told.append("== prompt of a ")
                    .append(stream ? "stream" : "whole answer")
                    .append('\n');
            told.append(text(Refusals.response(dialect, request, "1", block, Direction.PROMPT)));
        }
        ModeratedRequest request = new ModeratedRequest(new Conversation(List.of()), "llama", false);
        told.append("== whole answer\n");
        told.append(text(Refusals.response(dialect, request, "1", block, Direction.COMPLETION)));
        if (streams) {
            AnswerStream answer = dialect.answerStream();
            dialect.frames(1 << 20).split(BEGUN.get(name).getBytes(UTF_8)).forEach(answer::accept);
            answer.passed();
            told.append("== stream that has begun\n");
            told.append(Refusals.frames(dialect, answer, block).stream()
                    .map(frame -> new String(frame, UTF_8))
                    .collect(Collectors.joining()));
        }
        return told.toString();
    }

    private static String text(WireResponse response) {
        return "HTTP " + response.status() + " " + response.contentType() + "\n"
                + response.headers().entrySet().stream()
                        .map(header -> header.getKey() + ": " + header.getValue() + "\n")
                        .collect(Collectors.joining())
                + "\n" + new String(response.body(), UTF_8).stripTrailing() + "\n\n";
    }
}
