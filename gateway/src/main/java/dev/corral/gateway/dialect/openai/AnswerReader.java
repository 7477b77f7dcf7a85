package dev.corral.gateway.dialect.openai;

import dev.corral.gateway.dialect.Answer;
import dev.corral.gateway.dialect.DialectException;
import dev.corral.gateway.dialect.Fields;
import dev.corral.gateway.dialect.Voices;
import dev.corral.gateway.dialect.Words;
import dev.corral.guardmodels.conversation.Part;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Puts an answer together, from one body or from the chunks of a stream: both have the same form, a whole one being a
 * stream of a single chunk.
 */
final class AnswerReader {

    /** An upstream that numbers its choices higher than this is not answering a request that was let through. */
    private static final int MAX_CHOICES = 128;

    /** Identifiers and counts of the upstream's making. What is too long for that is judged as text. */
    private static final List<String> NEUTRAL = List.of(
            "id",
            "object",
            "created",
            "model",
            "usage",
            "system_fingerprint",
            "service_tier",
            "provider",
            "request_id",
            "timings",
            "x_groq",
            "metrics");

    /** Where errors are found: at OpenAI, at FastAPI, and at older vLLMs beside {@code "object": "error"}. */
    private static final List<String> ERRORS = List.of("error", "detail", "message");

    private final String message;
    private final SortedMap<Integer, ChoiceReader> choices = new TreeMap<>();
    private final List<Part> others = new ArrayList<>();
    private final Voices voices = new Voices();

    /** A reader of chunks whose choices have their text in {@code message}, or of a stream, in {@code delta}. */
    AnswerReader(String message) {
        this.message = message;
    }

    /**
     * Takes a whole answer or the next chunk.
     *
     * @return how much there is new to judge
     */
    int accept(JsonNode root) {
        if (!root.isObject()) {
            throw DialectException.unreadable("it is not a JSON object");
        }
        Fields fields = new Fields(root, "");
        int added = 0;
        for (String name : NEUTRAL) {
            added += neutral(fields.take(name), name);
        }
        JsonNode list = fields.take("choices");
        for (String name : ERRORS) {
            JsonNode error = fields.take(name);
            added += error == null ? 0 : add(Words.texts(error, name).toList());
        }
        added += add(fields.unread(Words::isTextless));
        return list == null ? added : added + acceptChoices(list);
    }

    /** Everything up to now. */
    Answer answer() {
        Stream<Turn> turns = choices.values().stream().map(choice -> new Turn(Role.ASSISTANT, choice.parts()));
        Stream<Turn> rest = others.isEmpty() ? Stream.empty() : Stream.of(new Turn(Role.ASSISTANT, others));
        return new Answer(Stream.concat(turns, rest).toList());
    }

    /** Judges this as well: what is beside the choices. */
    int add(List<Part> parts) {
        others.addAll(parts);
        return parts.stream().mapToInt(Words::size).sum();
    }

    SortedMap<Integer, ChoiceReader> choices() {
        return choices;
    }

    /** Who says what. */
    Voices voices() {
        return voices;
    }

    private int acceptChoices(JsonNode list) {
        if (!list.isArray()) {
            throw DialectException.unreadable("its 'choices' are not a list");
        }
        int added = 0;
        for (int i = 0; i < list.size(); i++) {
            JsonNode choice = list.get(i);
            if (!choice.isObject()) {
                throw DialectException.unreadable("a choice is not an object");
            }
            JsonNode index = choice.path("index");
            int number = index.isIntegralNumber() && index.canConvertToInt() ? index.asInt() : i;
            if (number < 0 || number >= MAX_CHOICES) {
                throw DialectException.unreadable(
                        "a choice has a number that is not between 0 and " + (MAX_CHOICES - 1));
            }
            ChoiceReader reader =
                    choices.computeIfAbsent(number, n -> new ChoiceReader(message, "choices[" + n + "]", voices));
            added += voices.hear(Voices.ofChoice(number), () -> reader.accept(choice));
        }
        return added;
    }

    private int neutral(@Nullable JsonNode value, String where) {
        return value == null || Words.isNeutral(value)
                ? 0
                : add(Words.texts(value, where).toList());
    }
}
