package dev.corral.guardmodels.dataset;

import dev.corral.guardmodels.conversation.Conversation;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;

/**
 * A conversation, and what people say of its last turn.
 *
 * @param line of its file, from 1
 * @param index of the file's lines that are not blank, from 0
 * @param unsafe what the label says
 * @param set where it is from, if the row says so
 * @param language such as {@code en}, if the row says so
 * @param categories codes of hazards; empty where none is known
 */
public record LabelledRow(
        int line,
        int index,
        Conversation conversation,
        boolean unsafe,
        Optional<String> set,
        Optional<String> language,
        List<String> categories) {

    private static final String LABELS = "'label' must be safe or unsafe, 0 or 1, false or true (1 and true: unsafe)";

    public LabelledRow {
        categories = List.copyOf(categories);
    }

    /** What a line says. */
    static LabelledRow of(Line line) throws BrokenLineException {
        Optional<String> set = line.optionalText("set");
        return new LabelledRow(
                line.number(),
                line.index(),
                line.conversation(),
                unsafe(line),
                set.isPresent() ? set : line.optionalText("source"),
                line.optionalText("lang"),
                categories(line));
    }

    private static boolean unsafe(Line line) throws BrokenLineException {
        if (!line.json().has("label")) {
            throw line.broken(JsonPointer.empty(), "there is no 'label'; " + LABELS);
        }
        JsonNode label = line.json().get("label");
        String word = label.isString() ? label.stringValue() : label.toString();
        return switch (word.toLowerCase(Locale.ROOT)) {
            case "unsafe", "1", "true" -> true;
            case "safe", "0", "false" -> false;
            default -> throw line.broken(JsonPointer.compile("/label"), LABELS + ": " + label);
        };
    }

    private static List<String> categories(Line line) throws BrokenLineException {
        if (!line.is("categories")) {
            return List.of();
        }
        JsonNode array = line.json().get("categories");
        JsonPointer where = JsonPointer.compile("/categories");
        if (!array.isArray()) {
            throw line.broken(where, "'categories' must be a list of hazard codes, such as [\"S1\"]");
        }
        List<String> categories = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            if (!array.get(i).isString()) {
                throw line.broken(where.appendIndex(i), "a category must be a hazard's code, such as \"S1\"");
            }
            categories.add(array.get(i).stringValue());
        }
        return categories.stream().distinct().toList();
    }

    /** What was said last: the text that was judged. */
    public String text() {
        return Line.lastText(conversation);
    }
}
