package dev.corral.policies.policy;

import dev.corral.policies.assessment.Assessment;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * What was found in one piece of content.
 *
 * @param sources who says it, at least one; where a piece mixes several, the strictest rule of all of them counts
 * @param tools names of the tools that are called, answer or are defined in it; none where none is known
 * @param hash of the content
 * @param guard who found it
 */
public record Evidence(
        Assessment assessment, Set<ContentSource> sources, Set<String> tools, ContentHash hash, GuardKind guard) {

    public Evidence {
        tools = Set.copyOf(tools);
        sources = Collections.unmodifiableSet(EnumSet.copyOf(sources));
    }

    /** Of what was read. */
    public Evidence(Assessment assessment, Set<ContentSource> sources, Set<String> tools, ContentHash hash) {
        this(assessment, sources, tools, hash, GuardKind.TEXT);
    }

    /** Of content that has nothing to do with tools. */
    public Evidence(Assessment assessment, Set<ContentSource> sources, ContentHash hash) {
        this(assessment, sources, Set.of(), hash);
    }

    /** The tools that what a source says may be of; none but the empty name where it is of none. */
    Set<String> tools(ContentSource source) {
        return source.isOfTool() && !tools.isEmpty() ? tools : Set.of("");
    }

    /** What a user asked or an assistant answered. */
    static Evidence plain(Assessment assessment, Direction direction) {
        return new Evidence(
                assessment,
                Set.of(direction == Direction.PROMPT ? ContentSource.USER : ContentSource.ASSISTANT),
                ContentHash.NONE);
    }
}
