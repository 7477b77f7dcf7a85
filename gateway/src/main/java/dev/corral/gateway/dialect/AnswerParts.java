package dev.corral.gateway.dialect;

import dev.corral.guardmodels.conversation.Part;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What an answer has beside its growing texts, in the order in which it came. Whatever takes something says how much
 * there is new to judge: UTF-16 units, and one for each part that has none.
 */
public final class AnswerParts {

    /** Comments and names of events up to this length are keep-alives and the like; longer ones are judged. */
    private static final int MAX_NOTE = 64;

    private final List<Part> parts = new ArrayList<>();

    /** Everything up to now. */
    public List<Part> parts() {
        return List.copyOf(parts);
    }

    public int add(List<Part> more) {
        parts.addAll(more);
        return more.stream().mapToInt(Words::size).sum();
    }

    /** Something that no guard here can read. */
    public int opaque(String what, String where) {
        return add(List.of(new Part.OpaquePart(what, where)));
    }

    /** An identifier, a count or the like of the upstream's making; judged where it is too long for that. */
    public int neutral(@Nullable JsonNode value, String where) {
        return value == null || Words.isNeutral(value) ? 0 : texts(value, where);
    }

    /** All texts anywhere in a value. */
    public int texts(@Nullable JsonNode value, String where) {
        return value == null ? 0 : add(Words.texts(value, where).toList());
    }

    /** What nobody took, as far as it could hold anything. */
    public int unread(Fields fields) {
        return add(fields.unread(Words::isTextless));
    }

    /** The lines of an event that are not its data. */
    public int notes(SseEvent event) {
        return add(event.notes().stream()
                .filter(note -> note.length() > MAX_NOTE)
                .<Part>map(note -> new Part.TextPart(note, "a line of the stream that is not data"))
                .toList());
    }
}
