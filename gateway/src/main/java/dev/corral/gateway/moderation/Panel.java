package dev.corral.gateway.moderation;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.guard.TextCoverage;
import dev.corral.guardmodels.guard.VisionGuard;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.taxonomy.Hazard;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import reactor.core.publisher.Mono;

/**
 * The guards that judge together: one reads all texts, the other, where there is one, sees the images and reads what is
 * said about them. They work at the same time, on lanes of their own, and what either finds counts. Without the second
 * one images stay unscanned, and the policy decides what that means.
 */
final class Panel implements AutoCloseable {

    private final ReactiveGuard text;
    private final Optional<ReactiveGuard> vision;
    private final Duration visionTimeout;

    /**
     * Guards at one table.
     *
     * @param vision closed with this one
     * @param visionTimeout for all images of a request, in place of the policy's for texts
     */
    Panel(ReactiveGuard text, Optional<ReactiveGuard> vision, Duration visionTimeout) {
        this.text = text;
        this.vision = vision;
        this.visionTimeout = visionTimeout;
    }

    /**
     * What was found.
     *
     * @param judged what the assessments are about, in the same order; what has images may be there twice
     */
    record Verdicts(List<Conversation> judged, List<Assessment> assessments) {}

    /** What the guards are called together. */
    String id() {
        return Stream.concat(Stream.of(text), vision.stream())
                .map(guard -> guard.profile().id())
                .collect(Collectors.joining(" + "));
    }

    /** The guard that sees images. */
    Optional<ReactiveGuard> vision() {
        return vision;
    }

    /** What is looked for when these hazards are asked for. */
    List<Hazard> looksFor(List<Hazard> asked) {
        return text.looksFor(asked);
    }

    /** Judges the last turn of each conversation; emits exactly once, never an error. */
    Mono<Verdicts> assess(List<Conversation> conversations, List<Hazard> asked, Urgency urgency, Duration deadline) {
        Mono<List<Assessment>> read = text.assess(conversations, asked, urgency, deadline);
        List<Conversation> pictured = conversations.stream()
                .filter(conversation -> !VisionGuard.imagesOf(conversation).isEmpty())
                .toList();
        if (vision.isEmpty() || pictured.isEmpty()) {
            return read.map(assessments -> new Verdicts(conversations, assessments));
        }
        return Mono.zip(
                read.map(assessments ->
                        assessments.stream().map(TextCoverage::withoutImages).toList()),
                vision.get().assess(pictured, asked, urgency, visionTimeout),
                (texts, images) -> new Verdicts(join(conversations, pictured), join(texts, images)));
    }

    private static <T> List<T> join(List<T> first, List<T> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    @Override
    public void close() {
        vision.ifPresent(ReactiveGuard::close);
    }
}
