package dev.corral.guardmodels.guard;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.taxonomy.Hazard;
import java.util.List;
import java.util.Optional;

/**
 * Remembers assessments: a conversation that was judged before costs a hash. Only scores are remembered, never that a
 * guard failed or ran out of time. Keys are digests, so that no text stays in memory.
 */
public final class CachingGuard implements Guard {

    /** Bytes that an entry takes beside its hazards, about. */
    private static final int ENTRY = 400;

    private static final int HAZARD = 60;

    /** Lists of hazards whose guards are kept; another one costs a few milliseconds once more. */
    private static final int LISTS = 256;

    private final Guard guard;
    private final byte[] fingerprint;
    private final Cache<ConversationKey, Scored> assessments;

    /** By the hazards that they are asked for: policies that ask for the same share one. */
    private final Cache<List<Hazard>, CachingGuard> asking =
            Caffeine.newBuilder().maximumSize(LISTS).executor(Runnable::run).build();

    /**
     * Remembers what a guard said.
     *
     * @param guard closed with this one
     * @param maxWeight memory for the assessments, in bytes, about; 0 remembers nothing
     */
    public CachingGuard(Guard guard, long maxWeight) {
        this(
                guard,
                Caffeine.newBuilder()
                        .maximumWeight(maxWeight)
                        .weigher((ConversationKey _, Scored scored) -> weight(scored))
                        .executor(Runnable::run)
                        .build());
    }

    private CachingGuard(Guard guard, Cache<ConversationKey, Scored> assessments) {
        this.guard = guard;
        this.fingerprint = guard.profile().fingerprint().getBytes(UTF_8);
        this.assessments = assessments;
    }

    private static int weight(Scored scored) {
        int texts = scored.coverage().unscanned().stream()
                .mapToInt(part -> part.what().length()
                        + part.where().length()
                        + part.why().length())
                .sum();
        return ENTRY + HAZARD * scored.hazards().size() + 2 * texts;
    }

    /** What is remembered of a conversation; never asks the guard. */
    public Optional<Assessment> cached(Conversation conversation) {
        return cached(List.of(conversation)).getFirst();
    }

    /**
     * What is remembered of each conversation; never asks the guard. Conversations that share turns cost hardly more than
     * the longest of them.
     */
    public List<Optional<Assessment>> cached(List<Conversation> conversations) {
        ConversationKey.Maker keys = new ConversationKey.Maker(fingerprint);
        return conversations.stream()
                .map(keys::key)
                .map(assessments::getIfPresent)
                .<Optional<Assessment>>map(Optional::ofNullable)
                .toList();
    }

    @Override
    public GuardProfile profile() {
        return guard.profile();
    }

    @Override
    public int places() {
        return guard.places();
    }

    /** What it remembers stays within the same memory, and an assessment is one of its list of hazards only. */
    @Override
    public CachingGuard asking(List<Hazard> hazards) {
        return hazards.isEmpty() || hazards.equals(guard.profile().taxonomy().hazards())
                ? this
                : asking.get(hazards, list -> new CachingGuard(guard.asking(list), assessments));
    }

    @Override
    public Assessment assess(Conversation conversation) {
        ConversationKey key = new ConversationKey.Maker(fingerprint).key(conversation);
        Scored known = assessments.getIfPresent(key);
        if (known != null) {
            return known;
        }
        Assessment assessment = guard.assess(conversation);
        if (assessment instanceof Scored scored) {
            assessments.put(key, scored);
        }
        return assessment;
    }

    @Override
    public void close() {
        guard.close();
    }
}
