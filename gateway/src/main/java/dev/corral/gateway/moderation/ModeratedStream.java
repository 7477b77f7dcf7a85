package dev.corral.gateway.moderation;

import dev.corral.gateway.dialect.AnswerStream;
import dev.corral.gateway.dialect.Dialect;
import dev.corral.gateway.dialect.FrameContent;
import dev.corral.gateway.dialect.FrameRedactor;
import dev.corral.gateway.dialect.FrameSplitter;
import dev.corral.gateway.dialect.GatewayError;
import dev.corral.gateway.dialect.ModeratedRequest;
import dev.corral.gateway.exchange.ErrorResponses;
import dev.corral.gateway.exchange.ModeratedExchange;
import dev.corral.gateway.exchange.StreamReport;
import dev.corral.gateway.moderation.CompletionWindow.Reason;
import dev.corral.gateway.moderation.CompletionWindow.Step;
import dev.corral.gateway.refusal.AzureAnnotations;
import dev.corral.gateway.refusal.Refusals;
import dev.corral.policies.policy.BlockStyle;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.springframework.util.unit.DataSize;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;

/** One streamed answer on its way through: chunks of the upstream in, frames that were judged out. */
final class ModeratedStream {

    /*
     * Order and backpressure: everything is a chain of concatMap with a prefetch of one. The next frame is looked at when
     * the one before it is done with, its judgement included, and nothing is asked of the upstream for a client that does
     * not read. There is no queue in which text could overtake a judgement, and none that could grow.
     *
     * Time: a tick among the frames says that what is held has waited long enough; it is one more thing to look at in its
     * turn. Keep-alives are beside the chain, since they are needed most while the guard takes long: between frames that
     * leave, whole ones only, and never where nothing is held. The first one commits the response, so that a failure after
     * it can no longer have a status.
     *
     * Ending: a block sends the dialect's terminal frames and completes; completing early is what cancels the upstream.
     * The answer's own last frame does not: the rest of the body is read and thrown away, so that the connection can be
     * used again. What comes after the last frame was never judged and never leaves.
     *
     * Redacting: frames that were judged go through the dialect's redactor, which holds back what may still become a part of
     * a span. It does so for every decision that lets them pass, since a span may begin in a window that has none yet.
     *
     * Failing: before the first byte a failure is the caller's, who still has a status to set. After it there is none, and
     * an error frame is all that can be said; what was held is dropped, and no [DONE] pretends that the answer is whole.
     * A failure after the answer's last frame is nobody's concern.
     */

    private sealed interface Input {}

    @SuppressWarnings("ArrayRecordComponent") // bytes for the wire: never compared, never a key
    private record Frame(byte[] bytes) implements Input {}

    private record Tick(int window) implements Input {}

    private record Output(ByteBuffer bytes, boolean last) {}

    private static final Set<BlockStyle> WITH_STATUS = EnumSet.of(BlockStyle.LITELLM, BlockStyle.PORTKEY);

    private final Dialect dialect;
    private final Judge judge;
    private final ModeratedExchange exchange;
    private final ModeratedRequest request;
    private final WindowMetrics metrics;
    private final FrameSplitter frames;
    private final AnswerStream answer;
    private final Optional<FrameRedactor> redactor;
    private final Optional<AzureAnnotations> annotations;
    private final CompletionWindow window;
    private final Optional<Duration> every;
    private final Duration keepAlive;
    private final Sinks.Many<Input> ticks = Sinks.many().unicast().onBackpressureBuffer();
    private final StreamClock clock = new StreamClock();
    private volatile Disposable timer = Disposables.disposed();
    private volatile Optional<Duration> added = Optional.empty();
    private long firstText;
    private int timed = -1;
    private boolean spoke;
    private boolean sent;
    private boolean ended;
    private boolean finished;

    ModeratedStream(
            Dialect dialect,
            Judge judge,
            WindowMetrics metrics,
            ModeratedExchange exchange,
            ModeratedRequest request,
            DataSize maxFrameSize,
            Duration keepAlive) {
        this.dialect = dialect;
        this.judge = judge;
        this.metrics = metrics;
        this.exchange = exchange;
        this.request = request;
        this.frames = dialect.frames(Math.toIntExact(maxFrameSize.toBytes()));
        this.answer = dialect.answerStream(request);
        PolicyRedactor redactor =
                new PolicyRedactor(exchange.policy(), exchange.facts(Direction.COMPLETION, request.model()));
        this.redactor = exchange.policy().redacts(Direction.COMPLETION)
                ? Optional.of(dialect.frameRedactor(redactor))
                : Optional.empty();
        this.annotations =
                AzureAnnotations.of(exchange.policy().blockStyle(), dialect, () -> exchange.decision(Direction.PROMPT));
        var windows = exchange.policy().streaming();
        this.window = new CompletionWindow(windows.firstWindow(), windows.window());
        this.every = windows.every();
        this.keepAlive = keepAlive;
    }

    /** What may go to the client, in pieces that should be sent at once; to be subscribed to once. */
    Flux<ByteBuffer> moderate(Flux<byte[]> chunks) {
        Flux<Input> split = chunks.concatMapIterable(frames::split, 1)
                .concatWith(Flux.defer(() -> Flux.fromStream(frames.flush().stream())))
                .map(Frame::new);
        Flux<Output> judged = ticking(split)
                .concatMap(this::take, 1)
                .concatWith(Flux.defer(() -> ended ? Flux.empty() : act(window.end())))
                .concatWith(Flux.defer(this::rest));
        return keptAlive(judged)
                .doOnNext(_ -> sent = true)
                .onErrorResume(this::fail)
                .takeUntil(Output::last)
                .map(Output::bytes)
                .doOnTerminate(this::close)
                .doOnCancel(this::close)
                .doFinally(_ -> metrics.streamed(report()));
    }

    private Flux<Input> ticking(Flux<Input> frames) {
        if (every.isEmpty()) {
            return frames;
        }
        Sinks.Empty<Input> over = Sinks.empty();
        return Flux.mergeDelayError(
                1, frames.doOnTerminate(over::tryEmitEmpty), ticks.asFlux().takeUntilOther(over.asMono()));
    }

    private Flux<Output> keptAlive(Flux<Output> judged) {
        return dialect.keepAlive()
                .map(comment -> {
                    Sinks.Empty<Output> over = Sinks.empty();
                    Flux<Output> comments = clock.every(keepAlive)
                            .filter(_ -> window.heldCharacters() > 0)
                            .map(_ -> new Output(ByteBuffer.wrap(comment), false))
                            .takeUntilOther(over.asMono());
                    return Flux.mergeDelayError(1, judged.doOnTerminate(over::tryEmitEmpty), comments);
                })
                .orElse(judged);
    }

    private Flux<Output> take(Input input) {
        return switch (input) {
            case Frame frame -> offer(frame.bytes());
            case Tick tick -> act(window.elapsed(tick.window()));
        };
    }

    private Flux<Output> offer(byte[] frame) {
        if (ended) {
            return Flux.empty();
        }
        FrameContent content = answer.accept(frame);
        ended = content.end();
        if (!spoke && !content.empty()) {
            spoke = true;
            firstText = clock.now();
        }
        Step step = window.offer(frame, content);
        if (step instanceof Step.Hold) {
            every.ifPresent(this::startClock);
        }
        return act(step);
    }

    private void startClock(Duration limit) {
        int number = window.windows();
        if (timed != number) {
            timed = number;
            timer.dispose();
            timer = clock.after(limit, () -> ticks.tryEmitNext(new Tick(number)));
        }
    }

    private void close() {
        window.drop();
        timer.dispose();
        exchange.streamed(report());
    }

    /** A client may leave in the moment between a release and the note of its time: then it is now. */
    private StreamReport report() {
        long released = window.releasedCharacters();
        Optional<Duration> waited = released == 0 ? Optional.empty() : added.or(() -> Optional.of(sinceFirstText()));
        return new StreamReport(released, window.mostHeldCharacters(), window.withheldCharacters(), waited);
    }

    private Duration sinceFirstText() {
        return Duration.ofNanos(clock.now() - firstText);
    }

    private Flux<Output> act(Step step) {
        return switch (step) {
            case Step.Hold _ -> Flux.empty();
            case Step.Release release -> pass(release.frames());
            case Step.Judge due ->
                judge.answer(exchange, request, answer.soFar())
                        .flatMapMany(decision -> carryOut(decision, due.reason()));
        };
    }

    private Flux<Output> carryOut(Decision decision, Reason reason) {
        metrics.judged(reason, decision);
        return switch (decision) {
            case Decision.Allow _, Decision.Flag _, Decision.Redact _ -> pass(window.release());
            case Decision.Respond respond -> last(answer.replyFrames(respond.message()));
            case Decision.Block block when block.style() == BlockStyle.ERROR -> Flux.error(Judge.violation(block));
            case Decision.Block block
            when WITH_STATUS.contains(block.style()) -> Flux.error(new BlockedException(block));
            case Decision.Block block -> last(Refusals.frames(dialect, answer, block));
            case Decision.Unavailable unavailable -> Flux.error(Judge.unavailable(unavailable));
        };
    }

    /** What was held back because more might have come, where the upstream ended without saying so. */
    private Flux<Output> rest() {
        List<byte[]> rest = redactor.map(FrameRedactor::end).orElse(List.of());
        return rest.isEmpty() ? Flux.empty() : send(rest, false);
    }

    private Flux<Output> pass(List<byte[]> judged) {
        if (judged.isEmpty()) {
            return Flux.empty();
        }
        answer.passed();
        if (added.isEmpty() && window.releasedCharacters() > 0) {
            added = Optional.of(sinceFirstText());
        }
        finished = ended;
        List<byte[]> leaves = redactor.map(r -> r.redact(judged)).orElse(judged);
        return send(
                annotations
                        .map(a -> a.frames(leaves, exchange.decision(Direction.COMPLETION)))
                        .orElse(leaves),
                false);
    }

    private Flux<Output> last(List<byte[]> terminal) {
        return send(terminal, true);
    }

    private Flux<Output> send(List<byte[]> frames, boolean last) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        frames.forEach(bytes::writeBytes);
        return Flux.just(new Output(ByteBuffer.wrap(bytes.toByteArray()), last));
    }

    private Flux<Output> fail(Throwable failure) {
        if (finished) {
            return Flux.empty();
        }
        if (!sent) {
            return Flux.error(failure);
        }
        if (failure instanceof BlockedException blocked) {
            return last(Refusals.frames(dialect, answer, blocked.block()));
        }
        GatewayError error = ErrorResponses.errorOf(failure);
        exchange.failed(error);
        return last(List.of(dialect.errorFrame(error, answer.nextNumber())));
    }
}
