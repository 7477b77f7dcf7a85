package dev.corral.gateway.moderation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.gateway.exchange.StreamReport;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;
import reactor.test.scheduler.VirtualTimeScheduler;

/** What time does to a stream; the time is made by hand. */
class ModeratedStreamTests {

    private static final String POLICY = """
            policy: time
            version: 1
            rules:
              - { id: all, when: { hazard: any }, then: block }
            block: { style: portkey }
            guards: { text: { timeout: 10m } }
            streaming: { window: 20 characters, first-window: 2 tokens, every: 500ms }
            """;

    private static final String COMMENT = ": keep-alive\n\n";

    private final VirtualTimeScheduler time = VirtualTimeScheduler.getOrSet();
    private final StreamBed bed = new StreamBed(POLICY);
    private final StreamBed patient = new StreamBed(POLICY.replace(", every: 500ms", ""));
    private final Sinks.Many<byte[]> upstream = Sinks.many().unicast().onBackpressureBuffer();
    private final List<String> sent = new CopyOnWriteArrayList<>();
    private final List<Throwable> failures = new CopyOnWriteArrayList<>();
    private ModeratedExchange exchange;
    private Disposable client;

    @BeforeEach
    void reset() {
        exchange = bed.exchange();
        client = () -> {};
    }

    @AfterEach
    void close() {
        client.dispose();
        bed.close();
        patient.close();
        VirtualTimeScheduler.reset();
    }

    private void open(StreamBed on, StreamSample sample) {
        exchange = on.exchange();
        client = on.moderate(exchange, sample.dialect(), upstream.asFlux()).subscribe(sent::add, failures::add);
    }

    private void comes(StreamSample sample, String text) {
        upstream.tryEmitNext(sample.frame(text)).orThrow();
    }

    private static String frame(StreamSample sample, String text) {
        return new String(sample.frame(text), UTF_8);
    }

    @Test
    void everyWhenLittleTextIsHeldHasItJudgedAfterThatTime() {
        open(bed, StreamSample.OPENAI_CHAT);
        comes(StreamSample.OPENAI_CHAT, "Hi");
        time.advanceTimeBy(Duration.ofMillis(400));
        comes(StreamSample.OPENAI_CHAT, " you");
        time.advanceTimeBy(Duration.ofMillis(99));
        assertThat(bed.guard.asked).isEmpty();

        time.advanceTimeBy(Duration.ofMillis(1));

        String both = frame(StreamSample.OPENAI_CHAT, "Hi") + frame(StreamSample.OPENAI_CHAT, " you");
        await().untilAsserted(() -> assertThat(sent).containsExactly(both));
        assertThat(bed.metrics
                        .get("corral.windows")
                        .tag("reason", "time")
                        .counter()
                        .count())
                .isEqualTo(1);
        comes(StreamSample.OPENAI_CHAT, "!");
        await().untilAsserted(() -> {
            time.advanceTimeBy(Duration.ofMillis(100));
            assertThat(sent).containsExactly(both, frame(StreamSample.OPENAI_CHAT, "!"));
        });
    }

    @ParameterizedTest
    @CsvSource({"OPENAI_CHAT, keep-alive", "LLAMA_STACK_CHAT, keep-alive", "ANTHROPIC, ping"})
    void keepAliveWhenTheGuardTakesLongIsSentUntilItHasDecided(StreamSample sample, String word) {
        open(patient, sample);
        comes(sample, "<hold> eight");
        await().untilAsserted(() -> assertThat(patient.guard.holding).hasValue(1));
        time.advanceTimeBy(StreamBed.KEEP_ALIVE.minusMillis(1));
        assertThat(sent).isEmpty();
        time.advanceTimeBy(Duration.ofMillis(1));
        time.advanceTimeBy(StreamBed.KEEP_ALIVE);
        assertThat(sent).hasSize(2).allMatch(frame -> frame.contains(word));

        patient.guard.release();

        await().untilAsserted(() -> assertThat(sent).hasSize(3).last().isEqualTo(frame(sample, "<hold> eight")));
        time.advanceTimeBy(StreamBed.KEEP_ALIVE.multipliedBy(3));
        assertThat(sent).hasSize(3);
    }

    @Test
    void keepAliveWhenTheDialectHasNoneIsNotSent() {
        open(patient, StreamSample.OLLAMA_CHAT);
        comes(StreamSample.OLLAMA_CHAT, "Hi");
        time.advanceTimeBy(StreamBed.KEEP_ALIVE.multipliedBy(3));
        assertThat(sent).isEmpty();
    }

    @Test
    void blockWhenOnlyACommentWasSentIsToldInTheStream() {
        open(patient, StreamSample.OPENAI_CHAT);
        comes(StreamSample.OPENAI_CHAT, "Hi");
        time.advanceTimeBy(StreamBed.KEEP_ALIVE);
        assertThat(sent).containsExactly(COMMENT);

        comes(StreamSample.OPENAI_CHAT, "<S9> SECRET");

        await().untilAsserted(() -> assertThat(sent).hasSize(2));
        assertThat(sent.getLast()).contains("after_request_hooks").doesNotContain("SECRET");
        assertThat(failures).isEmpty();
    }

    @Test
    void blockWhenNothingWasSentIsTheCallersToTell() {
        open(patient, StreamSample.OPENAI_CHAT);
        comes(StreamSample.OPENAI_CHAT, "<S9> SECRET");

        await().untilAsserted(() -> assertThat(failures).hasSize(1));
        assertThat(failures.getFirst()).isInstanceOf(BlockedException.class);
        assertThat(sent).isEmpty();
    }

    @Test
    void reportWhenOverTellsWhatBecameOfItsCharacters() {
        open(patient, StreamSample.OPENAI_CHAT);
        comes(StreamSample.OPENAI_CHAT, "Four");
        time.advanceTimeBy(Duration.ofSeconds(3));
        comes(StreamSample.OPENAI_CHAT, "Four");
        await().untilAsserted(() -> assertThat(sent).hasSize(1));
        comes(StreamSample.OPENAI_CHAT, "seven..");
        await().untilAsserted(() -> {
            time.advanceTimeBy(StreamBed.KEEP_ALIVE);
            assertThat(sent).contains(COMMENT);
        });
        client.dispose();

        assertThat(exchange.stream()).contains(new StreamReport(8, 8, 7, Optional.of(Duration.ofSeconds(3))));
        assertThat(patient.metrics
                        .get("corral.windows.characters")
                        .tag("fate", "withheld")
                        .counter()
                        .count())
                .isEqualTo(7);
    }

    @Test
    void reportWhenNothingWasReleasedHasNoTime() {
        client = patient.moderate(
                        exchange,
                        StreamSample.OLLAMA_CHAT.dialect(),
                        Flux.just(StreamSample.OLLAMA_CHAT.frame("Hi")).concatWith(Flux.never()))
                .subscribe();
        client.dispose();

        assertThat(exchange.stream()).contains(new StreamReport(0, 2, 2, Optional.empty()));
    }
}
