package dev.corral.gateway.moderation;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.TextCoverage;
import dev.corral.guardmodels.guard.VisionGuard;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.GuardKind;
import dev.corral.policies.taxonomy.Hazard;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import reactor.core.publisher.Mono;

/**
 * The guards that judge together: one reads all texts, the other, where there is one, sees the images and reads what is
 * said about them. They work at the same time, on lanes of their own, and what either finds counts. Which one sees images,
 * how long it may take and what happens without its verdict, the policy says. Without one images stay unscanned, and the
 * policy decides what that means.
 */
final class Panel implements AutoCloseable {

    private final ReactiveGuard text;
    private final Eyes eyes;
    private final Map<Guard, Seeing> seeing;

    /**
     * A guard that sees images.
     *
     * @param timeout for all images of a request, where the policy names none
     */
    record Seeing(ReactiveGuard guard, Duration timeout) {}

    /**
     * Guards at one table.
     *
     * @param seeing all of {@code eyes}; closed with this one
     */
    Panel(ReactiveGuard text, Eyes eyes, Map<Guard, Seeing> seeing) {
        this.text = text;
        this.eyes = eyes;
        this.seeing = Map.copyOf(seeing);
    }

    /** A guard that reads, and none that sees. */
    static Panel reading(ReactiveGuard text) {
        return new Panel(text, new Eyes(Optional.empty(), Map.of()), Map.of());
    }

    /**
     * What one guard found.
     *
     * @param input the number of the conversation among those that were to be judged
     * @param judged its last turn
     */
    record Opinion(int input, Conversation judged, GuardKind guard, Assessment assessment) {}

    /** What was found: an opinion of each conversation, and another one of each of its images. */
    record Verdicts(List<Opinion> all) {

        List<Conversation> judged() {
            return all.stream().map(Opinion::judged).toList();
        }

        List<Assessment> assessments() {
            return all.stream().map(Opinion::assessment).toList();
        }

        List<GuardKind> guards() {
            return all.stream().map(Opinion::guard).toList();
        }

        /** Those about one of the conversations. */
        Verdicts about(int input) {
            return new Verdicts(
                    all.stream().filter(opinion -> opinion.input == input).toList());
        }
    }

    /** What the guards of a policy are called together. */
    String id(CompiledPolicy policy) {
        return Stream.concat(Stream.of(text), seeing(policy).map(Seeing::guard).stream())
                .map(guard -> guard.profile().id())
                .collect(Collectors.joining(" + "));
    }

    private Optional<Seeing> seeing(CompiledPolicy policy) {
        return eyes.of(policy).map(seeing::get);
    }

    /** What is looked for when these hazards are asked for. */
    List<Hazard> looksFor(List<Hazard> asked) {
        return text.looksFor(asked);
    }

    /** Judges the last turn of each conversation under a policy; emits exactly once, never an error. */
    Mono<Verdicts> assess(List<Conversation> conversations, CompiledPolicy policy, Urgency urgency) {
        List<Integer> every = IntStream.range(0, conversations.size()).boxed().toList();
        List<Picture> pictures = every.stream()
                .flatMap(i ->
                        VisionGuard.oneImageEach(conversations.get(i)).stream().map(about -> new Picture(i, about)))
                .toList();
        Mono<List<Assessment>> read = text.assess(conversations, policy.asked(), urgency, policy.textTimeout());
        Optional<Seeing> sees = seeing(policy);
        if (sees.isEmpty() || pictures.isEmpty()) {
            return read.map(texts -> new Verdicts(opinions(GuardKind.TEXT, every, conversations, texts)));
        }
        List<Conversation> about = pictures.stream().map(Picture::about).toList();
        Duration timeout = policy.guards().vision().timeout().orElse(sees.get().timeout());
        Mono<List<Assessment>> seen = sees.get()
                .guard()
                .assess(about, policy.asked(), urgency, timeout)
                .map(images -> IntStream.range(0, images.size())
                        .mapToObj(i -> seen(images.get(i), about.get(i)))
                        .toList());
        return Mono.zip(
                read.map(texts -> opinions(
                        GuardKind.TEXT,
                        every,
                        conversations,
                        texts.stream().map(TextCoverage::withoutImages).toList())),
                seen.map(images -> opinions(
                        GuardKind.VISION, pictures.stream().map(Picture::input).toList(), conversations, images)),
                (texts, images) -> new Verdicts(
                        Stream.concat(texts.stream(), images.stream()).toList()));
    }

    /**
     * An image to be judged by itself: a guard that fails at one has judged the others.
     *
     * @param input the number of its conversation
     * @param about the conversation without other images
     */
    private record Picture(int input, Conversation about) {}

    /** Without a verdict the policy says what becomes of the images; they do not count as unscanned besides. */
    private static Assessment seen(Assessment assessment, Conversation conversation) {
        return switch (assessment) {
            case Assessment.Scored scored -> scored;
            case Assessment.Inconclusive none ->
                new Assessment.Inconclusive(none.reason(), none.detail(), VisionGuard.unjudged(conversation));
        };
    }

    private static List<Opinion> opinions(
            GuardKind guard, List<Integer> inputs, List<Conversation> conversations, List<Assessment> assessments) {
        return IntStream.range(0, inputs.size())
                .mapToObj(i -> new Opinion(inputs.get(i), conversations.get(inputs.get(i)), guard, assessments.get(i)))
                .toList();
    }

    @Override
    public void close() {
        seeing.values().forEach(each -> each.guard.close());
    }
}
