package dev.corral.gateway.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.gateway.dialect.DialectException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.test.StepVerifier;

class IdleTimeoutTests {

    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final AtomicInteger cancelled = new AtomicInteger();

    private Flux<byte[]> watched(Flux<byte[]> source) {
        return new IdleTimeout(LIMIT, "corral.upstreams.slow.idle-timeout")
                .watch(source.doOnCancel(cancelled::incrementAndGet));
    }

    @Test
    void watchWhenChunksComeInTimePassesThem() {
        StepVerifier.withVirtualTime(() ->
                        watched(Flux.interval(Duration.ofSeconds(9)).take(3).map(_ -> new byte[1])))
                .thenAwait(Duration.ofSeconds(27))
                .expectNextCount(3)
                .expectComplete()
                .verify(PATIENCE);
    }

    @Test
    void watchWhenAskedForMoreThanComesFailsAndCancels() {
        StepVerifier.withVirtualTime(() -> watched(Flux.just(new byte[1]).concatWith(Flux.never())))
                .expectNextCount(1)
                .thenAwait(LIMIT)
                .expectErrorSatisfies(failure -> {
                    assertThat(((DialectException) failure).error().status()).isEqualTo(504);
                    assertThat(failure).hasMessageContaining("(corral.upstreams.slow.idle-timeout)");
                })
                .verify(PATIENCE);
        assertThat(cancelled).hasValue(1);
    }

    @Test
    void watchWhenNobodyAsksWaitsForEver() {
        Flux<byte[]> impatient = new IdleTimeout(Duration.ofMillis(50), "corral.upstreams.slow.idle-timeout")
                .watch(Flux.just(new byte[1], new byte[1], new byte[1], new byte[1]));
        StepVerifier.create(impatient, 1)
                .expectNextCount(1)
                .thenAwait(Duration.ofMillis(300))
                .thenRequest(3)
                .expectNextCount(3)
                .expectComplete()
                .verify(PATIENCE);
    }
}
