package dev.corral.gateway.moderation;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** The time of one stream, on Reactor's timers. They only say that it has come; what is done about it is the stream's. */
final class StreamClock {

    private final Scheduler timers = Schedulers.parallel();

    /** Nanoseconds since some moment. */
    long now() {
        return timers.now(TimeUnit.NANOSECONDS);
    }

    /** Says once that so much time has passed. */
    Disposable after(Duration time, Runnable passed) {
        return timers.schedule(passed, time.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Says again and again that so much time has passed; what nobody can hear is not said later. */
    Flux<Long> every(Duration time) {
        return Flux.interval(time, timers).onBackpressureDrop();
    }
}
