package dev.corral.gateway.moderation;

import dev.corral.policies.policy.Decision;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** The verdict about a prompt that an upstream works on already, and what it has sent meanwhile. */
final class PendingVerdict {

    /** Chunks of an answer that are read ahead of the verdict; behind them, the upstream waits. */
    private static final int AHEAD = 64;

    private final Sinks.One<Boolean> passes = Sinks.one();
    private final Queue<byte[]> held = new ConcurrentLinkedQueue<>();
    private volatile boolean decided;

    /** Whether a decision lets a prompt go to the upstream as it is. */
    static boolean passes(Decision decision) {
        return decision instanceof Decision.Allow || decision instanceof Decision.Flag;
    }

    /** The verdict is there. */
    void decided(Decision decision) {
        decided = true;
        if (passes(decision)) {
            held.clear();
        }
        passes.tryEmitValue(passes(decision));
    }

    /** Completes when it is there and against the prompt; never, where the prompt may pass. */
    Mono<Void> refused() {
        return passes.asMono().flatMap(it -> it ? Mono.never() : Mono.empty());
    }

    /**
     * The same chunks, of which the first comes out when the prompt may pass; never, where it may not. A failure keeps its
     * place behind the chunks that came before it.
     */
    Flux<byte[]> hold(Flux<byte[]> chunks) {
        Mono<byte[]> passed = passes.asMono().flatMap(it -> it ? Mono.empty() : Mono.never());
        return chunks.doOnNext(this::keep)
                .concatMapDelayError(chunk -> passed.switchIfEmpty(Mono.just(chunk)), AHEAD)
                .concatWith(passed);
    }

    private void keep(byte[] chunk) {
        if (!decided) {
            held.add(chunk);
        }
    }

    /** What was received before a verdict that is against the prompt. */
    List<byte[]> wasted() {
        return new ArrayList<>(held);
    }
}
