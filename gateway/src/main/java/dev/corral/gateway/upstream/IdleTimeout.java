package dev.corral.gateway.upstream;

import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.GatewayError;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;

/**
 * Ends an answer whose upstream has gone silent. The clock runs only while something was asked for and did not come: a
 * slow client or a slow guard, which make us stop reading, are not the upstream's fault.
 */
public final class IdleTimeout {

    private final Duration limit;
    private final String setting;

    /**
     * A clock with this limit.
     *
     * @param setting the key of the limit, for messages
     */
    public IdleTimeout(Duration limit, String setting) {
        this.limit = limit;
        this.setting = setting;
    }

    /**
     * The same chunks, asked for one by one; an error (504) and a cancelled source where the next one does not come in
     * time.
     */
    public Flux<byte[]> watch(Flux<byte[]> chunks) {
        return Flux.defer(() -> {
            Clock clock = new Clock();
            return chunks.doOnRequest(_ -> clock.start())
                    .doOnNext(_ -> clock.stop())
                    .doFinally(_ -> clock.stop())
                    .takeUntilOther(clock.expired.asMono())
                    .concatWith(Mono.defer(() -> clock.hasExpired ? Mono.error(stalled()) : Mono.empty()))
                    .limitRate(1);
        });
    }

    private DialectException stalled() {
        return new DialectException(new GatewayError(
                504,
                "upstream_error",
                "upstream_stalled",
                null,
                "the upstream sent nothing for " + limit.toMillis() + " ms in the middle of its answer (" + setting
                        + ")",
                null));
    }

    private final class Clock {

        private final Sinks.Empty<byte[]> expired = Sinks.empty();
        private final AtomicReference<@Nullable Disposable> timer = new AtomicReference<>();
        private volatile boolean hasExpired;

        void start() {
            replace(Schedulers.parallel().schedule(this::expire, limit.toMillis(), TimeUnit.MILLISECONDS));
        }

        void stop() {
            replace(null);
        }

        private void replace(@Nullable Disposable next) {
            Disposable previous = timer.getAndSet(next);
            if (previous != null) {
                previous.dispose();
            }
        }

        /** Completes rather than fails: only its completion makes {@code takeUntilOther} cancel the source. */
        private void expire() {
            hasExpired = true;
            expired.tryEmitEmpty();
        }
    }
}
