package dev.corral.policies.policy;

import dev.corral.policies.assessment.Assessment;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * What was found in one piece of content.
 *
 * @param sources who says it, at least one; where a piece mixes several, the strictest rule of all of them counts
 * @param hash of the content
 */
public record Evidence(Assessment assessment, Set<ContentSource> sources, ContentHash hash) {

    public Evidence {
        sources = Collections.unmodifiableSet(EnumSet.copyOf(sources));
    }

    /** What a user asked or an assistant answered. */
    static Evidence plain(Assessment assessment, Direction direction) {
        return new Evidence(
                assessment,
                Set.of(direction == Direction.PROMPT ? ContentSource.USER : ContentSource.ASSISTANT),
                ContentHash.NONE);
    }
}
