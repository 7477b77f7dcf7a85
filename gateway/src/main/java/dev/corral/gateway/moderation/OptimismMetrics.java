package dev.corral.gateway.moderation;

import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.FrameSplitter;
import dev.corral.guardmodels.conversation.Turn;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.ByteArrayOutputStream;
import java.util.List;

/** What optimism is worth: {@code corral.optimistic}, and {@code corral.optimistic.wasted} in characters and bytes. */
final class OptimismMetrics {

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
        wasted("characters", stream ? streamed(dialect, chunks, maxFrame) : whole(dialect, chunks));
    }

    private static long streamed(Dialect dialect, List<byte[]> chunks, int maxFrame) {
        FrameSplitter frames = dialect.frames(maxFrame);
        AnswerStream answer = dialect.answerStream();
        long characters = 0;
        try {
            for (byte[] chunk : chunks) {
                for (byte[] frame : frames.split(chunk)) {
                    characters += answer.accept(frame).newCharacters();
                }
            }
        } catch (DialectException _) {
            return characters; // what cannot be read has no characters
        }
        return characters;
    }

    /** An answer that came in part is no JSON, and has no characters yet. */
    private static long whole(Dialect dialect, List<byte[]> chunks) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        chunks.forEach(body::writeBytes);
        try {
            return dialect.readAnswer(body.toByteArray()).choices().stream()
                    .mapToLong(OptimismMetrics::characters)
                    .sum();
        } catch (DialectException _) {
            return 0;
        }
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
