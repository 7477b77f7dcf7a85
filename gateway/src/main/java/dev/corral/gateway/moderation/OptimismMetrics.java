package dev.corral.gateway.moderation;

import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.FrameSplitter;
import dev.corral.gateway.dialect.StrictJson;
import dev.corral.guardmodels.conversation.Turn;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.ByteArrayOutputStream;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * What optimism is worth: {@code corral.optimistic}, and {@code corral.optimistic.wasted} in bytes, characters and tokens.
 * Tokens are the upstream's own count where it came; one who is cut off says none, and they are estimated: in a stream one for
 * each frame with something to read, which is how servers send them, else {@value #CHARACTERS_PER_TOKEN} characters each.
 */
final class OptimismMetrics {

    private static final int CHARACTERS_PER_TOKEN = 4;

    /** Where APIs count an answer's tokens: OpenAI, Anthropic, its responses' events, Ollama. */
    private static final List<String> COUNTS =
            List.of("/usage/completion_tokens", "/usage/output_tokens", "/response/usage/output_tokens", "/eval_count");

    /**
     * What was for nothing.
     *
     * @param counted tokens by the upstream's own count; 0 where it said none
     * @param estimated tokens, where it said none
     */
    private record Waste(long characters, long counted, long estimated) {

        static Waste of(long characters, long counted, long estimated) {
            return new Waste(characters, counted, counted > 0 ? 0 : estimated);
        }
    }

    private final MeterRegistry registry;

    OptimismMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    void kept() {
        count("kept");
    }

    /**
     * An upstream has worked for nothing.
     *
     * @param stream whether its answer is one of events
     * @param chunks of its answer, as far as they came
     */
    void wasted(Dialect dialect, boolean stream, List<byte[]> chunks, int maxFrame) {
        count("wasted");
        wasted("bytes", chunks.stream().mapToLong(chunk -> chunk.length).sum());
        Waste waste = stream ? streamed(dialect, chunks, maxFrame) : whole(dialect, chunks);
        wasted("characters", waste.characters);
        wasted("tokens", waste.counted);
        wasted("estimated-tokens", waste.estimated);
    }

    private static Waste streamed(Dialect dialect, List<byte[]> chunks, int maxFrame) {
        FrameSplitter frames = dialect.frames(maxFrame);
        AnswerStream answer = dialect.answerStream();
        long characters = 0;
        long counted = 0;
        long spoke = 0;
        try {
            for (byte[] chunk : chunks) {
                for (byte[] frame : frames.split(chunk)) {
                    int said = answer.accept(frame).newCharacters();
                    characters += said;
                    spoke += said > 0 ? 1 : 0;
                    counted = Math.max(
                            counted,
                            dialect.value(frame).map(OptimismMetrics::tokens).orElse(0L));
                }
            }
        } catch (DialectException _) {
            return Waste.of(characters, counted, spoke); // what cannot be read has no characters
        }
        return Waste.of(characters, counted, spoke);
    }

    /** An answer that came in part is no JSON, and has no characters yet. */
    private static Waste whole(Dialect dialect, List<byte[]> chunks) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        chunks.forEach(body::writeBytes);
        try {
            long characters = dialect.readAnswer(body.toByteArray()).choices().stream()
                    .mapToLong(OptimismMetrics::characters)
                    .sum();
            return Waste.of(
                    characters,
                    tokens(StrictJson.answer(body.toByteArray())),
                    Math.ceilDiv(characters, CHARACTERS_PER_TOKEN));
        } catch (DialectException _) {
            return Waste.of(0, 0, 0);
        }
    }

    private static long tokens(JsonNode said) {
        return COUNTS.stream()
                .mapToLong(place -> said.at(place).asLong(0))
                .max()
                .orElse(0);
    }

    private static long characters(Turn turn) {
        return Contents.of(turn).joined().length();
    }

    private void count(String outcome) {
        registry.counter("corral.optimistic", "outcome", outcome).increment();
    }

    private void wasted(String unit, long amount) {
        registry.counter("corral.optimistic.wasted", "unit", unit).increment((double) amount);
    }
}
