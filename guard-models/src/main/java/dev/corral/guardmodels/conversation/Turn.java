package dev.corral.guardmodels.conversation;

import java.util.List;

/** What one speaker said at once. */
public record Turn(Role role, List<Part> parts) {

    public Turn {
        parts = List.copyOf(parts);
    }

    /** A turn of a single text. */
    public static Turn of(Role role, String text) {
        return new Turn(role, List.of(new Part.TextPart(text, "")));
    }
}
