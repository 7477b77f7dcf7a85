package dev.corral.gateway.moderation;

import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.policies.policy.ContentHash;
import dev.corral.policies.policy.ContentSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** What was said in a turn, and by whom. Immutable, and safe for use by many threads. */
public final class Contents {

    private static final Set<String> REASONING = Set.of("reasoning_content", "reasoning", "thinking");

    /**
     * One text, as policies see it.
     *
     * @param tool the one that is called, that answers or that is defined; empty where none is, or its name is not known
     */
    public record Text(String text, ContentSource source, String tool) {

        Text(String text, ContentSource source) {
            this(text, source, "");
        }

        Set<String> tools() {
            return tool.isEmpty() ? Set.of() : Set.of(tool);
        }
    }

    private final List<Text> texts;
    private final Set<ContentSource> sources;
    private final ContentHash hash;

    private Contents(List<Text> texts, Set<ContentSource> sources, ContentHash hash) {
        this.texts = List.copyOf(texts);
        this.sources = Collections.unmodifiableSet(EnumSet.copyOf(sources));
        this.hash = hash;
    }

    /** Of a turn whose text is not known. */
    public static Contents unknown(Set<ContentSource> sources, ContentHash hash) {
        return new Contents(List.of(), sources, hash);
    }

    /** Of a turn whose texts are known in one piece; each of the sources may have said it. */
    public static Contents joined(Set<ContentSource> sources, String text, ContentHash hash) {
        return new Contents(
                sources.stream().map(source -> new Text(text, source)).toList(), sources, hash);
    }

    /** Of one turn. */
    public static Contents of(Turn turn) {
        List<Text> texts = new ArrayList<>();
        for (Part part : turn.parts()) {
            switch (part) {
                case Part.TextPart text -> texts.add(new Text(text.text(), source(turn, text)));
                case Part.ToolResultPart result ->
                    texts.add(new Text(result.text(), ContentSource.TOOL_RESULT, result.tool()));
                case Part.ToolDefinitionPart definition ->
                    texts.add(new Text(definition.text(), ContentSource.TOOL_DEFINITION, definition.tool()));
                case Part.ToolCallPart call -> {
                    texts.add(new Text(call.name(), ContentSource.TOOL_CALL, call.name()));
                    texts.add(new Text(call.arguments(), ContentSource.TOOL_CALL, call.name()));
                }
                case Part.ImagePart _, Part.OpaquePart _ -> {}
            }
        }
        Set<ContentSource> sources = EnumSet.noneOf(ContentSource.class);
        texts.forEach(text -> sources.add(text.source()));
        return new Contents(
                texts, sources.isEmpty() ? EnumSet.of(speaker(turn)) : sources, ContentHash.of(() -> joined(texts)));
    }

    /** Every text by itself. */
    public List<Text> texts() {
        return texts;
    }

    /** All texts in one piece, as an upstream's template may join them. */
    public String joined() {
        return joined(texts);
    }

    private static String joined(List<Text> texts) {
        return texts.stream().map(Text::text).collect(Collectors.joining());
    }

    /** Everybody who says a part of it; whoever has the turn, where it has no text. */
    public Set<ContentSource> sources() {
        return sources;
    }

    /** The tools that are called, answer or are defined in it. */
    public Set<String> tools() {
        return texts.stream().map(Text::tool).filter(tool -> !tool.isEmpty()).collect(Collectors.toSet());
    }

    /** Of all texts in one piece. */
    public ContentHash hash() {
        return hash;
    }

    private static ContentSource source(Turn turn, Part.TextPart text) {
        String field = text.where().substring(text.where().lastIndexOf('.') + 1);
        return REASONING.contains(field) ? ContentSource.REASONING : speaker(turn);
    }

    private static ContentSource speaker(Turn turn) {
        return switch (turn.role()) {
            case SYSTEM -> ContentSource.SYSTEM;
            case USER -> ContentSource.USER;
            case ASSISTANT -> ContentSource.ASSISTANT;
            case TOOL -> ContentSource.TOOL_RESULT;
        };
    }
}
