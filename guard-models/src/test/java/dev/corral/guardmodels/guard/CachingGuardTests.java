package dev.corral.guardmodels.guard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.GuardDirectories;
import dev.corral.guardmodels.ScriptedGuard;
import dev.corral.guardmodels.ScriptedModel;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Image;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.StandardHazard;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CachingGuardTests {

    private final ScriptedGuard scripted = new ScriptedGuard(_ -> ScriptedGuard.scored(0.7, StandardHazard.S9));
    private final CachingGuard guard = new CachingGuard(scripted, 1_000_000);

    private static Conversation said(String... texts) {
        return new Conversation(List.of(new Turn(
                Role.USER,
                List.of(texts).stream()
                        .map(text -> (Part) new Part.TextPart(text, "here"))
                        .toList())));
    }

    @Test
    void assessWhenRepeatedAsksOnce() {
        Assessment first = guard.assess(said("a"));
        assertThat(guard.assess(said("a"))).isSameAs(first);
        assertThat(scripted.asked).hasSize(1);
    }

    @Test
    void assessWhenTextStandsElsewhereIsTheSame() {
        guard.assess(said("a"));
        assertThat(guard.cached(new Conversation(List.of(Turn.of(Role.USER, "a")))))
                .isPresent();
    }

    @Test
    void cachedWhenNeverAskedIsEmpty() {
        assertThat(guard.cached(said("a"))).isEmpty();
        assertThat(scripted.asked).isEmpty();
    }

    @Test
    void assessWhenInconclusiveAsksAgain() {
        ScriptedGuard failing = new ScriptedGuard(
                _ -> new Assessment.Inconclusive(Assessment.Reason.FAILED, "broken", Coverage.NOTHING));
        CachingGuard caching = new CachingGuard(failing, 1_000_000);
        caching.assess(said("a"));
        caching.assess(said("a"));
        assertThat(failing.asked).hasSize(2);
    }

    @Test
    void assessWhenWeightIsZeroRemembersNothing() {
        CachingGuard forgetful = new CachingGuard(scripted, 0);
        forgetful.assess(said("a"));
        assertThat(forgetful.cached(said("a"))).isEmpty();
    }

    @Test
    void keyWhenConversationsDifferAtAllDiffers() {
        List<Conversation> conversations = List.of(
                said("ab"),
                said("a", "b"),
                said("ab", ""),
                said("", "ab"),
                said("a\ud800"),
                said("a\udc00"),
                said("a?"),
                said("a\ufffd"),
                new Conversation(List.of(Turn.of(Role.ASSISTANT, "ab"))),
                new Conversation(List.of(Turn.of(Role.SYSTEM, "ab"))),
                new Conversation(List.of(Turn.of(Role.USER, "a"), Turn.of(Role.USER, "b"))),
                part(new Part.ToolCallPart("a", "b", "")),
                part(new Part.ToolCallPart("ab", "", "")),
                part(new Part.ToolResultPart("ab", "")),
                part(new Part.ImagePart("ab", "")),
                part(new Part.ImagePart(new Image.Unavailable("ab"), "")),
                part(new Part.ImagePart(Image.File.of(new byte[] {'a', 'b'}), "")),
                part(new Part.ImagePart(Image.File.of(new byte[] {'a', 'c'}), "")),
                part(new Part.OpaquePart("ab", "")),
                part(new Part.OpaquePart("ab", "elsewhere")));
        Set<ConversationKey> keys = new HashSet<>();
        conversations.forEach(conversation -> keys.add(new ConversationKey.Maker(new byte[0]).key(conversation)));
        keys.add(new ConversationKey.Maker(new byte[] {1}).key(said("ab")));
        assertThat(keys).hasSize(conversations.size() + 1);
    }

    private static Conversation part(Part part) {
        return new Conversation(List.of(new Turn(Role.USER, List.of(part))));
    }

    @Test
    void cachedWhenTextIsLongIsFast() {
        Conversation conversation = said("word ".repeat(800));
        guard.assess(conversation);
        for (int i = 0; i < 5_000; i++) {
            guard.cached(conversation);
        }
        long best = Long.MAX_VALUE;
        for (int i = 0; i < 200; i++) {
            long start = System.nanoTime();
            guard.cached(conversation);
            best = Math.min(best, System.nanoTime() - start);
        }
        assertThat(Duration.ofNanos(best)).isLessThan(Duration.ofNanos(200_000));
    }

    @Test
    void askingWhenListsDifferRemembersEachByItself(@TempDir Path directory) throws IOException {
        ScriptedModel model = new ScriptedModel(600, 5, _ -> new float[][] {{0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}});
        TextGuard tiny = TextGuard.of(GuardStore.open(GuardDirectories.write(directory, GuardDirectories.TINY)), model);
        try (CachingGuard caching = new CachingGuard(tiny, 1_000_000)) {
            List<Hazard> own = tiny.profile().taxonomy().hazards();
            List<Hazard> two = List.of(StandardHazard.S1, StandardHazard.S9);
            caching.assess(said("a"));

            assertThat(caching.asking(own)).isSameAs(caching);
            assertThat(caching.asking(two)).isSameAs(caching.asking(List.copyOf(two)));
            assertThat(caching.asking(two).cached(said("a"))).isEmpty();
            assertThat(((Scored) caching.asking(two).assess(said("a"))).hazards())
                    .hasSize(2);
            assertThat(((Scored) caching.asking(two).assess(said("a"))).hazards())
                    .hasSize(2);
            assertThat(((Scored) caching.assess(said("a"))).hazards()).hasSize(3);
            assertThat(model.asked).hasSize(2);
        }
    }

    @Test
    void askingWhenTheGuardHasNoListSharesWhatItRemembers() {
        guard.assess(said("a"));
        assertThat(guard.places()).isZero();
        assertThat(guard.asking(List.of(StandardHazard.S9)).cached(said("a"))).isPresent();
    }

    @Test
    void closeWhenCalledClosesTheGuard() {
        guard.close();
        assertThat(scripted.closed).isTrue();
    }
}
