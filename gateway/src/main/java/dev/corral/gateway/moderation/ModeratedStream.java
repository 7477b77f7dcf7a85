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
import dev.corral.gateway.moderation.CompletionWindow.Reason;
import dev.corral.gateway.moderation.CompletionWindow.Step;
import dev.corral.gateway.refusal.Refusals;
import dev.corral.policies.policy.BlockStyle;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.springframework.util.unit.DataSize;
import reactor.core.publisher.Flux;

/** One streamed answer on its way through: chunks of the upstream in, frames that were judged out. */
final class ModeratedStream {

    /*
     * Order and backpressure: everything is a chain of concatMap with a prefetch of one. The next frame is looked at when
     * the one before it is done with, its judgement included, and nothing is asked of the upstream for a client that does
     * not read. There is no queue in which text could overtake a judgement, and none that could grow.
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

    private record Output(ByteBuffer bytes, boolean last) {}

    private final Dialect dialect;
    private final Judge judge;
    private final ModeratedExchange exchange;
    private final ModeratedRequest request;
    private final WindowMetrics metrics;
    private final FrameSplitter frames;
    private final AnswerStream answer;
    private final Optional<FrameRedactor> redactor;
    private final CompletionWindow window;
    private boolean sent;
    private boolean ended;
    private boolean finished;

    ModeratedStream(
            Dialect dialect,
            Judge judge,
            WindowMetrics metrics,
            ModeratedExchange exchange,
            ModeratedRequest request,
            DataSize maxFrameSize) {
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
        var windows = exchange.policy().streaming();
        this.window = new CompletionWindow(windows.firstWindow(), windows.window());
    }

    /** What may go to the client, in pieces that should be sent at once; to be subscribed to once. */
    Flux<ByteBuffer> moderate(Flux<byte[]> chunks) {
        return chunks.concatMapIterable(frames::split, 1)
                .concatWith(Flux.defer(() -> Flux.fromStream(frames.flush().stream())))
                .concatMap(this::offer, 1)
                .concatWith(Flux.defer(() -> ended ? Flux.empty() : act(window.end())))
                .concatWith(Flux.defer(this::rest))
                .onErrorResume(this::fail)
                .takeUntil(Output::last)
                .map(Output::bytes)
                .doFinally(_ -> {
                    window.drop();
                    metrics.characters(window);
                });
    }

    private Flux<Output> offer(byte[] frame) {
        if (ended) {
            return Flux.empty();
        }
        FrameContent content = answer.accept(frame);
        ended = content.end();
        return act(window.offer(frame, content));
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
        finished = ended;
        return send(redactor.map(r -> r.redact(judged)).orElse(judged), false);
    }

    private Flux<Output> last(List<byte[]> terminal) {
        return send(terminal, true);
    }

    private Flux<Output> send(List<byte[]> frames, boolean last) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        frames.forEach(bytes::writeBytes);
        sent = true;
        return Flux.just(new Output(ByteBuffer.wrap(bytes.toByteArray()), last));
    }

    private Flux<Output> fail(Throwable failure) {
        if (finished) {
            return Flux.empty();
        }
        if (!sent) {
            return Flux.error(failure);
        }
        GatewayError error = ErrorResponses.errorOf(failure);
        exchange.failed(error);
        return last(List.of(dialect.errorFrame(error)));
    }
}
