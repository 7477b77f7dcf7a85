package dev.corral.guardmodels.dataset;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonPointer;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.JsonNode;

/**
 * One line of a file: a JSON object.
 *
 * @param file its name, for messages
 * @param number from 1
 * @param index of the lines that are not blank, from 0
 * @param text as it stands in the file
 * @param json what it says
 */
public record Line(String file, int number, int index, String text, JsonNode json) {

    /**
     * What is to be judged: {@code turns}, or else {@code text} of a user; then {@code response} of the assistant, unless
     * the turns end with it already, as some sets write it.
     */
    public Conversation conversation() throws BrokenLineException {
        List<Turn> turns = new ArrayList<>();
        if (json.has("turns")) {
            JsonNode array = json.get("turns");
            JsonPointer where = JsonPointer.compile("/turns");
            if (!array.isArray() || array.isEmpty()) {
                throw broken(where, "'turns' must be a list of at least one turn");
            }
            for (int i = 0; i < array.size(); i++) {
                turns.add(turn(where.appendIndex(i)));
            }
        } else {
            turns.add(Turn.of(Role.USER, text(JsonPointer.empty(), "text")));
        }
        if (is("response")) {
            Turn response = Turn.of(Role.ASSISTANT, text(JsonPointer.empty(), "response"));
            if (!response.equals(turns.getLast())) {
                turns.add(response);
            }
        }
        return new Conversation(turns);
    }

    private Turn turn(JsonPointer where) throws BrokenLineException {
        if (!json.at(where).isObject()) {
            throw broken(where, "a turn must be an object with 'role' and 'content'");
        }
        String role = text(where, "role");
        Role speaker = switch (role) {
            case "system", "developer" -> Role.SYSTEM;
            case "user" -> Role.USER;
            case "assistant" -> Role.ASSISTANT;
            case "tool" -> Role.TOOL;
            default ->
                throw broken(
                        where.appendProperty("role"),
                        "'role' must be system, developer, user, assistant or tool: '" + role + "'");
        };
        return Turn.of(speaker, text(where, "content"));
    }

    /** Whether the field is there and not null. */
    boolean is(String field) {
        return json.has(field) && !json.get(field).isNull();
    }

    /** A field that must be text, or empty where it is left out or null. */
    Optional<String> optionalText(String field) throws BrokenLineException {
        return is(field) ? Optional.of(text(JsonPointer.empty(), field)) : Optional.empty();
    }

    private String text(JsonPointer object, String field) throws BrokenLineException {
        JsonNode value = json.at(object).path(field);
        if (value.isMissingNode()) {
            throw broken(object, "there is no '" + field + "'");
        }
        if (!value.isString()) {
            throw broken(object.appendProperty(field), "'" + field + "' must be text");
        }
        return value.stringValue();
    }

    /** What is wrong with the value at a place of this line, given as a JSON pointer. */
    public BrokenLineException broken(String where, String rule) {
        return broken(JsonPointer.compile(where), rule);
    }

    /** What is wrong with the value at a place of this line. */
    BrokenLineException broken(JsonPointer where, String rule) {
        return new BrokenLineException(file, number, column(where), rule);
    }

    private int column(JsonPointer where) {
        try (JsonParser parser = JsonLines.JSON.createParser(text)) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                if (token != JsonToken.PROPERTY_NAME
                        && parser.streamReadContext().pathAsPointer().equals(where)) {
                    return parser.currentTokenLocation().getColumnNr();
                }
            }
        }
        return 1;
    }

    /** The text of a conversation's last turn. */
    static String lastText(Conversation conversation) {
        return conversation.turns().getLast().parts().getFirst() instanceof Part.TextPart part ? part.text() : "";
    }
}
