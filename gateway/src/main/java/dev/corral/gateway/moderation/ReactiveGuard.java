package dev.corral.gateway.moderation;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.guard.CachingGuard;
import dev.corral.guardmodels.guard.GuardProfile;
import dev.corral.guardmodels.guard.TextCoverage;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Reason;
import dev.corral.policies.taxonomy.Hazard;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.core.scheduler.Schedulers;

/** A guard for event loops: never blocks, never fails, never keeps anybody waiting beyond a deadline. */
public final class ReactiveGuard implements AutoCloseable {

    /*
     * Bulkhead. Judging is work for a processor, not for an event loop, and there are as many threads for it as the guard
     * has lanes. What is asked for at once is one job on one lane, however many texts it has: a request with a long
     * history cannot take all lanes from the others. Before the lanes is one queue of a fixed length, answers first,
     * otherwise first come, first served.
     *
     * Deadline. It covers the wait and the work. Whoever gave up, by deadline or because the client went away, takes the
     * job out of the queue, or interrupts the guard at its work: no lane is ever busy for nobody.
     *
     * What has no verdict is Inconclusive, and the policy decides what that means. Texts of a job that were judged before
     * the deadline keep their assessment: a block that is certain already does not become an error.
     *
     * What is remembered is answered on the caller's thread. Everything else continues on Reactor's parallel threads, so
     * that a lane goes on judging while an answer is written.
     */

    private static final Logger log = LoggerFactory.getLogger(ReactiveGuard.class);

    private static final Comparator<Runnable> ORDER =
            Comparator.comparing((Runnable job) -> ((Job) job).urgency).thenComparingLong(job -> ((Job) job).number);

    private final CachingGuard guard;
    private final GuardMetrics metrics;
    private final ThreadPoolExecutor lanes;
    private final AtomicLong numbers = new AtomicLong();

    /**
     * Starts the lanes.
     *
     * @param guard closed with this one
     * @param lanes threads, at least 1
     * @param queue jobs that may wait, at least 1
     */
    public ReactiveGuard(CachingGuard guard, int lanes, int queue, GuardMetrics metrics) {
        this.guard = guard;
        this.metrics = metrics;
        this.lanes = new ThreadPoolExecutor(
                lanes,
                lanes,
                0,
                TimeUnit.SECONDS,
                new BoundedQueue(queue),
                Thread.ofPlatform().name("guard-", 1).daemon().factory());
        metrics.queue(guard.profile().id(), this.lanes.getQueue());
    }

    /** Which guard this is. */
    public GuardProfile profile() {
        return guard.profile();
    }

    /** What it looks for when it is asked for these hazards. */
    List<Hazard> looksFor(List<Hazard> asked) {
        return guard.asking(asked).profile().taxonomy().hazards();
    }

    /**
     * Judges the last turn of each conversation.
     *
     * @param asked what to look for, as a policy says; see {@link dev.corral.guardmodels.guard.Guard#asking}
     * @return one assessment for each, in order; emits exactly once, never an error
     */
    Mono<List<Assessment>> assess(
            List<Conversation> conversations, List<Hazard> asked, Urgency urgency, Duration deadline) {
        return Mono.defer(() -> {
            CachingGuard asking = guard.asking(asked);
            Results results = new Results(conversations);
            List<Optional<Assessment>> known = asking.cached(conversations);
            for (int i = 0; i < conversations.size(); i++) {
                if (known.get(i).isPresent()) {
                    results.set(i, known.get(i).get());
                    metrics.remembered(guard.profile().id());
                }
            }
            if (results.complete()) {
                return Mono.just(results.list(Reason.FAILED));
            }
            return Mono.<List<Assessment>>create(sink -> submit(asking, results, urgency, sink))
                    .timeout(deadline, Mono.fromSupplier(() -> late(results)))
                    .publishOn(Schedulers.parallel());
        });
    }

    private void submit(CachingGuard asking, Results results, Urgency urgency, MonoSink<List<Assessment>> sink) {
        Job job = new Job(asking, results, urgency, numbers.incrementAndGet(), sink);
        sink.onCancel(() -> {
            results.abandon();
            lanes.remove(job);
            job.cancel(true);
        });
        try {
            lanes.execute(job);
        } catch (RejectedExecutionException _) {
            metrics.unanswered(guard.profile().id(), Reason.OVERLOADED);
            sink.success(results.list(Reason.OVERLOADED));
        }
    }

    private List<Assessment> late(Results results) {
        metrics.unanswered(guard.profile().id(), Reason.TIMEOUT);
        return results.list(Reason.TIMEOUT);
    }

    private List<Assessment> judge(CachingGuard asking, Results results) {
        for (int i = 0;
                i < results.conversations.size() && !Thread.currentThread().isInterrupted();
                i++) {
            if (results.isMissing(i)) {
                Assessment assessment = judge(asking, results.conversations.get(i));
                if (results.abandoned) {
                    break; // how an interrupted guard ends its work says nothing of the text
                }
                results.set(i, assessment);
            }
        }
        return results.list(Reason.FAILED);
    }

    private Assessment judge(CachingGuard asking, Conversation conversation) {
        return metrics.measured(guard.profile().id(), () -> {
            try {
                return asking.assess(conversation);
            } catch (RuntimeException | LinkageError e) {
                log.error("guard {} failed", guard.profile().id(), e);
                return missing(conversation, Reason.FAILED);
            }
        });
    }

    private static Assessment missing(Conversation conversation, Reason reason) {
        String detail = switch (reason) {
            case TIMEOUT -> "the guard gave no verdict before the deadline";
            case OVERLOADED -> "too many texts wait for the guard";
            case FAILED -> "the guard failed; the gateway's log says why";
        };
        return new Inconclusive(
                reason, detail, TextCoverage.of(conversation.turns().getLast(), 0));
    }

    @Override
    public void close() {
        lanes.shutdownNow();
        try {
            if (lanes.awaitTermination(10, TimeUnit.SECONDS)) {
                guard.close();
            } else {
                log.warn(
                        "guard {} is still at work; its memory is left to the end of the process",
                        guard.profile().id());
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /** What is known of a job's texts; written by a lane, read by whoever comes first. */
    private static final class Results {

        private final List<Conversation> conversations;
        private final AtomicReferenceArray<Assessment> assessments;
        private volatile boolean abandoned;

        Results(List<Conversation> conversations) {
            this.conversations = List.copyOf(conversations);
            this.assessments = new AtomicReferenceArray<>(conversations.size());
        }

        /** Nobody waits for more. */
        void abandon() {
            abandoned = true;
        }

        void set(int i, Assessment assessment) {
            assessments.set(i, assessment);
        }

        @SuppressWarnings("NullAway") // an empty slot of the array is null, whatever its type says
        boolean isMissing(int i) {
            return assessments.get(i) == null;
        }

        boolean complete() {
            for (int i = 0; i < conversations.size(); i++) {
                if (isMissing(i)) {
                    return false;
                }
            }
            return true;
        }

        List<Assessment> list(Reason whereMissing) {
            Assessment[] list = new Assessment[conversations.size()];
            for (int i = 0; i < list.length; i++) {
                list[i] = isMissing(i) ? missing(conversations.get(i), whereMissing) : assessments.get(i);
            }
            return List.of(list);
        }
    }

    private final class Job extends FutureTask<List<Assessment>> {

        private final Urgency urgency;
        private final long number;

        Job(CachingGuard asking, Results results, Urgency urgency, long number, MonoSink<List<Assessment>> sink) {
            super(() -> {
                List<Assessment> assessments = judge(asking, results);
                sink.success(assessments);
                return assessments;
            });
            this.urgency = urgency;
            this.number = number;
        }
    }

    /** Ordered by urgency, and full at its limit: the executor takes that for a refusal. */
    private static final class BoundedQueue extends PriorityBlockingQueue<Runnable> {

        private final int limit;

        BoundedQueue(int limit) {
            super(limit, ORDER);
            this.limit = limit;
        }

        @Override
        public synchronized boolean offer(Runnable job) {
            return size() < limit && super.offer(job);
        }
    }
}
