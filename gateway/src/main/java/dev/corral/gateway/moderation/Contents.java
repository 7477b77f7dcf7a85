package dev.corral.gateway.moderation;

import dev.corral.gateway.dialect.ToolCalls;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.policies.policy.ContentSource;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The texts of a turn, and who says each. */
final class Contents {

    private static final Set<String> REASONING = Set.of("reasoning_content", "reasoning", "thinking");

    /**
     * One text, as policies see it.
     *
     * @param tool the one that is called; empty where none is
     */
    record Text(String text, ContentSource source, String tool) {

        Text(String text, ContentSource source) {
            this(text, source, "");
        }

        Set<String> tools() {
            return tool.isEmpty() ? Set.of() : Set.of(tool);
        }
    }

    private Contents() {}

    /** Every text of a turn by itself. */
    static List<Text> texts(Turn turn) {
        List<Text> texts = new ArrayList<>();
        for (Part part : turn.parts()) {
            switch (part) {
                case Part.TextPart text -> texts.add(new Text(text.text(), source(turn, text)));
                case Part.ToolResultPart result -> texts.add(new Text(result.text(), ContentSource.TOOL_RESULT));
                case Part.ToolCallPart call -> {
                    texts.add(new Text(call.name(), ContentSource.TOOL_CALL, call.name()));
                    texts.add(new Text(call.arguments(), ContentSource.TOOL_CALL, call.name()));
                }
                case Part.ImagePart _, Part.OpaquePart _ -> {}
            }
        }
        return texts;
    }

    /** All texts of a turn in one piece, as an upstream's template may join them. */
    static String joined(Turn turn) {
        return texts(turn).stream().map(Text::text).collect(Collectors.joining());
    }

    /** Everybody who says a part of it; whoever has the turn, where it has no text. */
    static Set<ContentSource> sources(Turn turn) {
        Set<ContentSource> sources = EnumSet.noneOf(ContentSource.class);
        texts(turn).forEach(text -> sources.add(text.source()));
        return sources.isEmpty() ? EnumSet.of(speaker(turn)) : sources;
    }

    /** The tools that are called in it. */
    static Set<String> tools(Turn turn) {
        return texts(turn).stream()
                .map(Text::tool)
                .filter(tool -> !tool.isEmpty())
                .collect(Collectors.toSet());
    }

    /** SHA-256 of the text in one piece, in hexadecimal digits. */
    static String hash(Turn turn) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256")
                            .digest(joined(turn).getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static ContentSource source(Turn turn, Part.TextPart text) {
        String field = text.where().substring(text.where().lastIndexOf('.') + 1);
        return REASONING.contains(field)
                ? ContentSource.REASONING
                : ToolCalls.source(text.where().split("[\\[.]", 2)[0], speaker(turn));
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
