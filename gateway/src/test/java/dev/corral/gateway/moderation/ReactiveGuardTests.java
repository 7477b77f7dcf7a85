package dev.corral.gateway.moderation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.corral.gateway.testing.ScriptedGuard;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.CachingGuard;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Reason;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.Taxonomy;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;

class ReactiveGuardTests {

    private static final List<Hazard> ALL = Taxonomy.LLAMA_GUARD_3.hazards();
    private static final Duration LONG = Duration.ofSeconds(20);

    private final ScriptedGuard scripted = new ScriptedGuard();
    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private final ReactiveGuard guard =
            new ReactiveGuard(new CachingGuard(scripted, 1_000_000), 1, 2, new GuardMetrics(metrics));

    @AfterEach
    void close() {
        guard.close();
    }

    private static List<Conversation> texts(String... texts) {
        return Stream.of(texts)
                .map(text -> new Conversation(List.of(Turn.of(Role.USER, text))))
                .toList();
    }

    private CompletableFuture<List<Assessment>> assess(Urgency urgency, Duration deadline, String... texts) {
        return guard.assess(texts(texts), ALL, urgency, deadline).toFuture();
    }

    private double waiting() {
        return metrics.get("corral.guard.queue").gauge().value();
    }

    @Test
    void assessWhenSeveralTextsReturnsOneAssessmentForEachInOrder() {
        List<Assessment> assessments =
                assess(Urgency.PROMPT, LONG, "a", "<S9>", "b").join();
        assertThat(assessments).hasSize(3).allMatch(Scored.class::isInstance);
        assertThat(((Scored) assessments.get(1)).unsafe().value()).isGreaterThan(0.9);
        assertThat(scripted.threads).containsOnly("guard-1");
    }

    @Test
    void assessWhenRememberedAnswersOnTheCallersThread() {
        assess(Urgency.PROMPT, LONG, "again").join();
        Thread caller = Thread.currentThread();
        boolean[] same = {false};
        guard.assess(texts("again"), ALL, Urgency.PROMPT, LONG)
                .doOnNext(_ -> same[0] = Thread.currentThread() == caller)
                .subscribe();
        assertThat(same[0]).isTrue();
        assertThat(scripted.asked).hasSize(1);
    }

    @Test
    void assessWhenNothingIsAskedAnswersAtOnce() {
        assertThat(assess(Urgency.PROMPT, LONG).join()).isEmpty();
    }

    @Test
    void assessWhenTheDeadlinePassesInterruptsTheWorkAndKeepsWhatWasJudged() {
        List<Assessment> assessments =
                assess(Urgency.PROMPT, Duration.ofMillis(200), "<S9>", "<hold>").join();
        assertThat(assessments.getFirst()).isInstanceOf(Scored.class);
        assertThat(assessments.getLast()).isInstanceOfSatisfying(Inconclusive.class, late -> {
            assertThat(late.reason()).isEqualTo(Reason.TIMEOUT);
            assertThat(late.coverage().characters().total()).isEqualTo(6);
        });
        await().untilAsserted(() -> assertThat(scripted.interrupted).hasValue(1));
        assertThat(assess(Urgency.PROMPT, LONG, "the lane is free").join()).hasSize(1);
    }

    @Test
    void assessWhenTheDeadlinePassesInTheQueueIsNeverWorkedOn() {
        CompletableFuture<List<Assessment>> busy = assess(Urgency.PROMPT, LONG, "<hold>");
        await().until(() -> scripted.holding.get() == 1);
        assertThat(assess(Urgency.PROMPT, Duration.ofMillis(100), "never").join())
                .singleElement()
                .isInstanceOf(Inconclusive.class);
        await().until(() -> waiting() == 0);
        scripted.release();
        busy.join();
        assertThat(scripted.asked).hasSize(1);
    }

    @Test
    void assessWhenTheQueueIsFullIsOverloadedAtOnce() {
        CompletableFuture<List<Assessment>> busy = assess(Urgency.PROMPT, LONG, "<hold>");
        await().until(() -> scripted.holding.get() == 1);
        CompletableFuture<List<Assessment>> first = assess(Urgency.PROMPT, LONG, "1");
        CompletableFuture<List<Assessment>> second = assess(Urgency.PROMPT, LONG, "2");
        assertThat(assess(Urgency.ANSWER, LONG, "3").join())
                .singleElement()
                .isInstanceOfSatisfying(
                        Inconclusive.class, full -> assertThat(full.reason()).isEqualTo(Reason.OVERLOADED));
        assertThat(waiting()).isEqualTo(2);
        scripted.release();
        assertThat(busy.join()).hasSize(1);
        assertThat(first.join()).hasSize(1);
        assertThat(second.join()).hasSize(1);
    }

    @Test
    void assessWhenAnAnswerWaitsTakesItBeforeThePrompts() {
        CompletableFuture<List<Assessment>> busy = assess(Urgency.PROMPT, LONG, "<hold>");
        await().until(() -> scripted.holding.get() == 1);
        CompletableFuture<List<Assessment>> prompt = assess(Urgency.PROMPT, LONG, "prompt");
        CompletableFuture<List<Assessment>> answer = assess(Urgency.ANSWER, LONG, "answer");
        scripted.release();
        CompletableFuture.allOf(busy, prompt, answer).join();
        assertThat(scripted.asked).containsExactlyElementsOf(texts("<hold>", "answer", "prompt"));
    }

    @Test
    void assessWhenCancelledLeavesTheQueueOrTheLane() {
        Disposable working =
                guard.assess(texts("<hold>"), ALL, Urgency.PROMPT, LONG).subscribe();
        await().until(() -> scripted.holding.get() == 1);
        Disposable queued =
                guard.assess(texts("queued"), ALL, Urgency.PROMPT, LONG).subscribe();
        assertThat(waiting()).isEqualTo(1);
        queued.dispose();
        assertThat(waiting()).isZero();
        working.dispose();
        await().untilAsserted(() -> assertThat(scripted.interrupted).hasValue(1));
    }

    @Test
    void assessWhenTheGuardFailsIsInconclusiveAndNotRemembered() {
        assertThat(assess(Urgency.PROMPT, LONG, "<fail>").join())
                .singleElement()
                .isInstanceOfSatisfying(
                        Inconclusive.class,
                        failed -> assertThat(failed.reason()).isEqualTo(Reason.FAILED));
        assess(Urgency.PROMPT, LONG, "<fail>").join();
        assertThat(scripted.asked).hasSize(2);
    }
}
