package dev.corral.guardmodels.dataset;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.Facts;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;

/**
 * A piece of traffic that was recorded: what was said, or what a guard made of it, or both.
 *
 * @param line of its file, from 1
 * @param conversation of which the last turn is decided about; its only text is empty where the line has none
 * @param hasText whether the line says what was said
 * @param scores what a guard said of the last turn; empty where a guard is still to be asked
 * @param facts about the exchange; the direction is that of the last turn
 */
public record RecordedRow(int line, Conversation conversation, boolean hasText, Optional<Scores> scores, Facts facts) {

    private static final String UNSAFE = "unsafe";

    /**
     * Probabilities.
     *
     * @param unsafe that it is harmful at all
     * @param hazards by their codes
     */
    public record Scores(Probability unsafe, Map<String, Probability> hazards) {

        public Scores {
            hazards = Collections.unmodifiableMap(new LinkedHashMap<>(hazards));
        }
    }

    /**
     * What a line says: {@code text}, {@code turns} and {@code response} as for {@link LabelledRow}; {@code scores} with
     * {@code unsafe} and hazards by their codes; {@code route}, {@code tenant}, {@code model} and {@code lang}. Where there
     * are scores and no text, {@code direction} is {@code prompt} or {@code completion}.
     */
    public static RecordedRow of(Line line) throws BrokenLineException {
        boolean hasText = line.json().has("text") || line.json().has("turns");
        Optional<Scores> scores = scores(line);
        if (!hasText && scores.isEmpty()) {
            throw line.broken(JsonPointer.empty(), "there is neither 'text' nor 'turns' nor 'scores'");
        }
        Conversation conversation = hasText ? line.conversation() : unsaid(line);
        Direction direction =
                conversation.turns().getLast().role() == Role.ASSISTANT ? Direction.COMPLETION : Direction.PROMPT;
        return new RecordedRow(
                line.number(),
                conversation,
                hasText,
                scores,
                new Facts(
                        direction,
                        line.optionalText("route").orElse(""),
                        line.optionalText("tenant").orElse(""),
                        line.optionalText("model").orElse(""),
                        line.optionalText("lang").map(List::of).orElse(List.of())));
    }

    private static Conversation unsaid(Line line) throws BrokenLineException {
        String direction = line.optionalText("direction").orElse("prompt");
        Role role = switch (direction) {
            case "prompt" -> Role.USER;
            case "completion" -> Role.ASSISTANT;
            default ->
                throw line.broken(
                        JsonPointer.compile("/direction"),
                        "'direction' must be prompt or completion: '" + direction + "'");
        };
        return new Conversation(List.of(Turn.of(role, "")));
    }

    private static Optional<Scores> scores(Line line) throws BrokenLineException {
        if (!line.is("scores")) {
            return Optional.empty();
        }
        JsonPointer where = JsonPointer.compile("/scores");
        JsonNode object = line.json().get("scores");
        if (!object.isObject()) {
            throw line.broken(where, "'scores' must be an object such as {\"unsafe\": 0.8, \"S9\": 0.7}");
        }
        Map<String, Probability> hazards = new LinkedHashMap<>();
        double sum = 0;
        for (Map.Entry<String, JsonNode> score : object.properties()) {
            JsonNode value = score.getValue();
            if (!value.isNumber() || !(value.doubleValue() >= 0 && value.doubleValue() <= 1)) {
                throw line.broken(
                        where.appendProperty(score.getKey()), "a score must be a number between 0 and 1: " + value);
            }
            if (!score.getKey().equals(UNSAFE)) {
                hazards.put(score.getKey(), new Probability(value.doubleValue()));
                sum += value.doubleValue();
            }
        }
        double unsafe = object.has(UNSAFE) ? object.get(UNSAFE).doubleValue() : Math.min(1, sum);
        return Optional.of(new Scores(new Probability(unsafe), hazards));
    }

    /** What was said last. */
    public String text() {
        return Line.lastText(conversation);
    }
}
