package dev.corral.gateway.moderation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.gateway.exchange.StreamReport;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Flux;

/** Laws of streams, in every dialect that has them, whoever says what: texts, reasoning, calls of tools, several choices. */
class StreamLawTests {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final List<String> ODD = List.of("", "é", "\uD83D\uDE00", "\n\"");
    private static final int SEEDS = 40;
    private static final int EXCHANGES = 10_000;

    private static final StreamBed bed = new StreamBed("""
            policy: laws
            version: 1
            rules:
              - { id: all, when: { hazard: any }, then: block }
            streaming: { window: 30 characters, first-window: 12 characters }
            """);

    @AfterAll
    static void close() {
        bed.close();
    }

    @ParameterizedTest
    @EnumSource(StreamSample.class)
    void moderateWhenAllIsSafePassesEveryChunkingByteForByte(StreamSample sample) {
        for (int seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            byte[] stream = sample.stream(words(random), random);

            assertThat(moderated(sample, chunks(random, stream)))
                    .as("seed %d", seed)
                    .isEqualTo(new String(stream, UTF_8));
        }
    }

    @ParameterizedTest
    @EnumSource(StreamSample.class)
    void moderateWhenItTurnsHarmfulSaysTheSameForEveryChunkingAndNothingOfTheHarm(StreamSample sample) {
        for (int seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            byte[] stream = sample.stream(turning(random), random);

            String whole = moderated(sample, List.of(stream));

            assertThat(whole).as("seed %d", seed).doesNotContain("SECRET").isNotEmpty();
            for (int chunking = 0; chunking < 4; chunking++) {
                assertThat(moderated(sample, chunks(random, stream)))
                        .as("seed %d", seed)
                        .isEqualTo(whole);
            }
        }
    }

    @Test
    @Tag("slow")
    void moderateWhenAnythingMayFailHasOneOutcomeAndLosesNoSecret() {
        for (int seed = 0; seed < EXCHANGES; seed++) {
            exchange(seed);
        }
    }

    @Test
    void moderateWhenSomethingFailsHasOneOutcomeAndLosesNoSecret() {
        for (int seed = EXCHANGES; seed < EXCHANGES + 300; seed++) {
            exchange(seed);
        }
    }

    /** One exchange whose upstream may fail, end early or talk rubbish, and whose client may go away. */
    private static void exchange(int seed) {
        Random random = new Random(seed);
        StreamSample sample = StreamSample.values()[random.nextInt(StreamSample.values().length)];
        boolean harmful = random.nextBoolean();
        List<String> words = harmful ? turning(random) : words(random);
        if (random.nextInt(8) == 0) {
            words.set(random.nextInt(words.size()), "<mute>");
        }
        List<byte[]> chunks = chunks(random, sample.stream(words, random));
        int broken = random.nextInt(chunks.size());
        Flux<byte[]> upstream = switch (random.nextInt(5)) {
            case 0 -> Flux.fromIterable(chunks.subList(0, broken)).concatWith(Flux.error(new IOException("reset")));
            case 1 -> Flux.fromIterable(chunks.subList(0, broken));
            case 2 -> {
                chunks.set(broken, "\n\ndata: {rubbish\n\n".getBytes(UTF_8));
                yield Flux.fromIterable(chunks);
            }
            default -> Flux.fromIterable(chunks);
        };
        AtomicInteger upstreamEnds = new AtomicInteger();
        AtomicInteger outcomes = new AtomicInteger();
        ModeratedExchange exchange = bed.exchange();
        Flux<String> answer = bed.moderate(
                        exchange, sample.dialect(), upstream.doFinally(_ -> upstreamEnds.incrementAndGet()))
                .doFinally(_ -> outcomes.incrementAndGet())
                .onErrorComplete();
        if (random.nextInt(6) == 0) {
            answer = answer.take(1 + random.nextInt(3));
        }
        List<String> sent = answer.collectList().block(PATIENCE);

        assertThat(String.join("", sent)).as("seed %d", seed).doesNotContain("SECRET");
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .until(() -> outcomes.get() > 0 && upstreamEnds.get() > 0);
        assertThat(outcomes).as("seed %d", seed).hasValue(1);
        assertThat(upstreamEnds).as("seed %d", seed).hasValue(1);
        StreamReport report = exchange.stream().orElseThrow();
        long characters = words.stream().mapToLong(String::length).sum();
        long most = 2 * characters + 20L * words.size();
        assertThat(report.released() + report.withheld())
                .as("seed %d: words as JSON, and the names of calls", seed)
                .isLessThanOrEqualTo(most);
        assertThat(report.added().isPresent()).as("seed %d", seed).isEqualTo(report.released() > 0);
    }

    private static String moderated(StreamSample sample, List<byte[]> chunks) {
        return String.join(
                "",
                bed.moderate(bed.exchange(), sample.dialect(), Flux.fromIterable(chunks))
                        .collectList()
                        .block(PATIENCE));
    }

    private static List<String> words(Random random) {
        List<String> words = new ArrayList<>();
        int count = 3 + random.nextInt(20);
        for (int i = 0; i < count; i++) {
            words.add(" word" + ODD.get(random.nextInt(ODD.size())) + random.nextInt(30));
        }
        return words;
    }

    /** Harmless up to a random place, then a secret and what makes the guard see it, and more of it. */
    private static List<String> turning(Random random) {
        List<String> words = words(random);
        words.add(random.nextInt(words.size() + 1), "SECRET <S9>");
        words.add("SECRET");
        return words;
    }

    private static List<byte[]> chunks(Random random, byte[] stream) {
        List<byte[]> chunks = new ArrayList<>();
        int longest = 1 + random.nextInt(200);
        for (int at = 0; at < stream.length; ) {
            int to = Math.min(stream.length, at + 1 + random.nextInt(longest));
            chunks.add(Arrays.copyOfRange(stream, at, to));
            at = to;
        }
        return chunks;
    }
}
