package dev.corral.policies.policy;

import dev.corral.policies.policy.Policy.Expression;
import dev.corral.policies.policy.Policy.HazardReference;
import dev.corral.policies.policy.Policy.HazardSelector;
import dev.corral.policies.policy.Policy.ListReference;
import dev.corral.policies.policy.Policy.Range;
import dev.corral.policies.policy.Policy.Rule;
import dev.corral.policies.policy.Policy.When;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.snakeyaml.engine.v2.nodes.Tag;

/** Reads the rules of one policy. */
final class RuleParser {

    static final Fields.Keys RULE = new Fields.Keys(
            List.of("id", "when", "then", "message", "audit", "override"),
            "Write '{ id: my-rule, when: { hazard: S4 }, then: block }'.");
    static final Fields.Keys WHEN = new Fields.Keys(
            List.of(
                    "hazard",
                    "direction",
                    "source",
                    "tool",
                    "route",
                    "tenant",
                    "tenant-in",
                    "model",
                    "language",
                    "content-in",
                    "probability",
                    "condition"),
            "Write '{ hazard: S4 }', or '{ hazard: S4, direction: prompt }', or a condition in quotes.");
    static final Fields.Keys PROBABILITY =
            new Fields.Keys(List.of("at-least", "below"), "Write '{ at-least: 0.7 }', or '{ below: 0.7 }', or both.");
    private static final Fields.Keys LANGUAGES =
            new Fields.Keys(List.of(), "Write a text, or one for each language: '{ en: Sorry., de: Leider nicht. }'.");

    static final Map<String, Action> ACTIONS = words(List.of(Action.values()), Action::word);
    static final Map<String, Direction> DIRECTIONS =
            words(List.of(Direction.values()), direction -> direction.name().toLowerCase(Locale.ROOT));
    static final Map<String, ContentSource> SOURCES = words(List.of(ContentSource.values()), ContentSource::word);
    static final Map<String, AuditDetail> AUDIT =
            words(List.of(AuditDetail.values()), detail -> detail.name().toLowerCase(Locale.ROOT));

    private final Problems problems;
    private final Map<String, SourceLocation> places = new HashMap<>();

    RuleParser(Problems problems) {
        this.problems = problems;
    }

    List<Rule> rules(Value value) {
        return value
                .items("rule", "Write each rule as '- { id: my-rule, when: { hazard: S4 }, then: block }'.")
                .orElse(List.of())
                .stream()
                .flatMap(item -> item.fields(RULE).flatMap(fields -> rule(item, fields)).stream())
                .toList();
    }

    private Optional<Rule> rule(Value item, Fields fields) {
        Optional<String> id = fields.required("id", "id: my-rule").flatMap(this::ruleId);
        Optional<When> when = fields.required("when", "when: { hazard: S4 }").flatMap(this::when);
        Optional<Action> action = fields.required("then", "then: block").flatMap(value -> value.word(ACTIONS));
        Optional<Value> message = fields.optional("message");
        Optional<Messages> text = message.flatMap(this::messages);
        Optional<AuditDetail> audit = fields.optional("audit").flatMap(value -> value.word(AUDIT));
        fields.optional("override").ifPresent(Value::flag);
        if (action.equals(Optional.of(Action.RESPOND)) && message.isEmpty()) {
            problems.report(
                    Problem.MESSAGE_MISSING,
                    item.node(),
                    "a rule that responds must have a message",
                    "Add 'message:' with the words that the client gets instead of the model's.");
        }
        if (message.isPresent()
                && action.filter(a -> a.compareTo(Action.RESPOND) < 0).isPresent()) {
            problems.report(
                    Problem.MESSAGE_IGNORED,
                    message.get().node(),
                    "no client sees this message, because the content passes",
                    "Remove it, or write 'then: respond' or 'then: block'.");
        }
        if (id.isEmpty() || when.isEmpty() || action.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new Rule(id.get(), when.get(), action.get(), text, audit, item.location()));
    }

    private Optional<String> ruleId(Value value) {
        Optional<String> id = value.identifier();
        id.map(text -> places.putIfAbsent(text, value.location()))
                .ifPresent(place -> problems.report(
                        Problem.DUPLICATE_RULE,
                        value.node(),
                        "the id '" + id.get() + "' is taken by the rule in "
                                + (place.origin().equals(value.location().origin()) ? "" : place.origin() + " ")
                                + "line "
                                + place.line(),
                        "Give each rule an id of its own; decisions and audits name rules by it."
                                + (place.origin().equals(value.location().origin())
                                        ? ""
                                        : " Or add 'override: true' to the rule that replaces the base's.")));
        return id;
    }

    private Optional<When> when(Value value) {
        if (value.isText()) {
            return value.text()
                    .map(text -> expression(value, text))
                    .map(expression -> new When(
                            new HazardSelector.Any(),
                            Set.of(Direction.values()),
                            Set.of(ContentSource.values()),
                            List.of(),
                            List.of(),
                            List.of(),
                            List.of(),
                            List.of(),
                            List.of(),
                            List.of(),
                            Range.ALL,
                            Optional.of(expression)));
        }
        return value.fields(WHEN).flatMap(this::when);
    }

    private Optional<When> when(Fields fields) {
        Optional<HazardSelector> hazards =
                fields.required("hazard", "hazard: S4', or 'hazard: any").flatMap(this::hazards);
        Optional<Set<Direction>> directions = chosen(fields.optional("direction"), "direction", DIRECTIONS);
        Optional<Set<ContentSource>> sources = chosen(fields.optional("source"), "source", SOURCES);
        Optional<Range> range = fields.optional("probability").map(this::range).orElse(Optional.of(Range.ALL));
        if (hazards.isEmpty() || directions.isEmpty() || sources.isEmpty() || range.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new When(
                hazards.get(),
                directions.get(),
                sources.get(),
                texts(fields, "tool"),
                texts(fields, "route"),
                texts(fields, "tenant"),
                lists(fields, "tenant-in"),
                texts(fields, "model"),
                texts(fields, "language").stream().map(Messages::primary).toList(),
                lists(fields, "content-in"),
                range.get(),
                fields.optional("condition").flatMap(value -> value.text().map(text -> expression(value, text)))));
    }

    private static Expression expression(Value value, String text) {
        return new Expression(text, value.textLocation(), value.isOnOneLine());
    }

    /** All of them where the key is missing. */
    private static <T> Optional<Set<T>> chosen(Optional<Value> value, String name, Map<String, T> words) {
        if (value.isEmpty()) {
            return Optional.of(Set.copyOf(words.values()));
        }
        if (!value.get().isList()) {
            return value.get().word(words).map(Set::of);
        }
        Set<T> chosen = new HashSet<>();
        value.get()
                .items(name, "Write one of " + String.join(", ", words.keySet()) + ", or a list of them.")
                .ifPresent(items -> items.forEach(item -> item.word(words).ifPresent(chosen::add)));
        return chosen.isEmpty() ? Optional.empty() : Optional.of(chosen);
    }

    private static List<String> texts(Fields fields, String key) {
        return fields.optional(key).flatMap(value -> value.texts(key)).orElse(List.of());
    }

    private static List<ListReference> lists(Fields fields, String key) {
        return fields.optional(key)
                .map(value -> value.texts(key).orElse(List.of()).stream()
                        .map(name -> new ListReference(name, value.location()))
                        .toList())
                .orElse(List.of());
    }

    private Optional<Range> range(Value value) {
        Optional<Fields> fields = value.fields(PROBABILITY);
        if (fields.isEmpty()) {
            return Optional.empty();
        }
        double atLeast =
                fields.get().optional("at-least").flatMap(Value::probability).orElse(Range.ALL.atLeast());
        double below =
                fields.get().optional("below").flatMap(Value::probability).orElse(Range.ALL.below());
        if (atLeast >= below) {
            return problems.report(
                    Problem.EMPTY_RANGE,
                    value.node(),
                    "no probability is at least " + atLeast + " and below " + below,
                    "Correct one of the numbers.");
        }
        return Optional.of(new Range(atLeast, below));
    }

    Optional<HazardSelector> hazards(Value value) {
        String advice = "Write a hazard such as S4, a list such as [S1, S2], or any.";
        if (!value.isList()) {
            return value.scalar("a hazard, a list of hazards, or any", advice, Tag.STR)
                    .map(code -> code.equals("any")
                            ? new HazardSelector.Any()
                            : new HazardSelector.Named(List.of(new HazardReference(code, value.location()))));
        }
        List<HazardReference> references = references(value, advice);
        return references.isEmpty() ? Optional.empty() : Optional.of(new HazardSelector.Named(references));
    }

    /** A list of hazards, each once. */
    List<HazardReference> references(Value value, String advice) {
        List<HazardReference> references = new ArrayList<>();
        Set<String> codes = new HashSet<>();
        for (Value item : value.items("hazard", advice).orElse(List.of())) {
            item.scalar("a hazard", advice, Tag.STR).ifPresent(code -> {
                if (code.equals("any")) {
                    problems.report(
                            Problem.REPEATED_HAZARD,
                            item.node(),
                            "'any' means every hazard, so it must not be one of a list",
                            "Write 'hazard: any', or remove it from the list.");
                } else if (!codes.add(code)) {
                    problems.report(
                            Problem.REPEATED_HAZARD,
                            item.node(),
                            "hazard " + Problems.quote(code) + " is there twice",
                            "Remove one.");
                } else {
                    references.add(new HazardReference(code, item.location()));
                }
            });
        }
        return references;
    }

    /** One text, or one for each language. */
    Optional<Messages> messages(Value value) {
        if (!value.isMapping()) {
            return value.text().map(text -> new Messages(Map.of(Messages.ANY, text)));
        }
        Map<String, String> texts = new LinkedHashMap<>();
        value.fields(LANGUAGES)
                .ifPresent(fields -> fields.forEach((language, location, text) -> {
                    if (!language.matches("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")) {
                        problems.report(
                                Problem.BAD_TEXT,
                                location,
                                "a language must be a code such as en, de or pt-BR: " + Problems.quote(language),
                                LANGUAGES.example());
                    }
                    text.text().ifPresent(words -> texts.put(language.toLowerCase(Locale.ROOT), words));
                }));
        return texts.isEmpty() ? Optional.empty() : Optional.of(new Messages(texts));
    }

    /** These constants by the words for them, in this order. */
    static <E> Map<String, E> words(List<E> constants, Function<E, String> word) {
        Map<String, E> words = new LinkedHashMap<>();
        constants.forEach(constant -> words.put(word.apply(constant), constant));
        return words;
    }
}
