package dev.corral.policies.policy;

import dev.corral.policies.pattern.CardPattern;
import dev.corral.policies.pattern.ExpressionPattern;
import dev.corral.policies.pattern.IbanPattern;
import dev.corral.policies.pattern.KeywordPattern;
import dev.corral.policies.pattern.TextPattern;
import dev.corral.policies.policy.Policy.HazardDefinition;
import dev.corral.policies.policy.Policy.NamedPattern;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Reads a policy's own hazards, and its lists. */
final class HazardParser {

    static final Fields.Keys HAZARDS = new Fields.Keys(
            List.of(), "Write '{ cards: { name: Card numbers, numbers: card } }', each hazard by a code of its own.");
    static final Fields.Keys HAZARD = new Fields.Keys(
            List.of("name", "description", "patterns", "keywords", "numbers", "replacement"),
            "Write '{ name: Trade secrets, description: ... }' for the guard, or '{ name: Card numbers, numbers: card }'.");
    static final Fields.Keys LISTS = new Fields.Keys(
            List.of(), "Write '{ partners: [acme, globex] }', or '{ partners: { file: partners.txt } }'.");
    private static final Fields.Keys FILE = new Fields.Keys(List.of("file"), "Write '{ file: words.txt }'.");

    static final Map<String, Supplier<TextPattern>> NUMBERS = numbers();

    private final Inheritance files;
    private final Problems problems;

    HazardParser(Inheritance files, Problems problems) {
        this.files = files;
        this.problems = problems;
    }

    private static Map<String, Supplier<TextPattern>> numbers() {
        Map<String, Supplier<TextPattern>> numbers = new LinkedHashMap<>();
        numbers.put("card", CardPattern::new);
        numbers.put("iban", IbanPattern::new);
        return numbers;
    }

    List<HazardDefinition> hazards(Value value) {
        List<HazardDefinition> definitions = new ArrayList<>();
        value.fields(HAZARDS)
                .ifPresent(fields -> fields.forEach((code, location, definition) -> {
                    if (!code.matches("[A-Za-z][A-Za-z0-9-]*") || code.equals("any") || code.equals("default")) {
                        problems.report(
                                Problem.BAD_HAZARD,
                                location,
                                "a hazard's code must be letters, digits and hyphens, the first a letter, and not 'any' or"
                                        + " 'default': " + Problems.quote(code),
                                HAZARDS.example());
                    } else if (code.toUpperCase(Locale.ROOT).matches("S[0-9]{1,2}")) {
                        problems.report(
                                Problem.BAD_HAZARD,
                                location,
                                "a code of a letter S and a number is one of Llama Guard's own hazards: "
                                        + Problems.quote(code),
                                "Give your hazard a word, such as 'trade-secrets'.");
                    } else {
                        definition
                                .fields(HAZARD)
                                .flatMap(keys -> hazard(code, location, keys))
                                .ifPresent(definitions::add);
                    }
                }));
        return definitions;
    }

    private Optional<HazardDefinition> hazard(String code, SourceLocation location, Fields fields) {
        Optional<String> name = fields.required("name", "name: Card numbers").flatMap(Value::text);
        Optional<String> description = fields.optional("description").flatMap(Value::text);
        boolean hasPatterns = fields.optional("patterns").isPresent()
                || fields.optional("keywords").isPresent()
                || fields.optional("numbers").isPresent();
        if (hasPatterns == fields.optional("description").isPresent()) {
            problems.report(
                    Problem.BAD_HAZARD,
                    location,
                    hasPatterns
                            ? "hazard " + Problems.quote(code) + " has both patterns and a description for the guard"
                            : "nothing finds hazard " + Problems.quote(code),
                    "Give it either 'description' for the guard, or some of 'patterns', 'keywords' and 'numbers'.");
        }
        List<NamedPattern> patterns = new ArrayList<>();
        fields.optional("patterns").ifPresent(value -> patterns.addAll(expressions(value)));
        fields.optional("keywords").flatMap(value -> keywords(value)).ifPresent(patterns::add);
        fields.optional("numbers").ifPresent(value -> patterns.addAll(numbers(value)));
        fields.optional("replacement")
                .filter(value -> value.isText() && value.text().orElse("").matches("(?s).*[\"\\\\\\p{Cntrl}].*"))
                .ifPresent(value -> problems.report(
                        Problem.BAD_TEXT,
                        value.node(),
                        "a replacement must not have quotes, backslashes or line breaks, because it may stand inside JSON",
                        "Write a short text such as '[card number]'."));
        String replacement = fields.optional("replacement").flatMap(Value::text).orElse("[" + name.orElse(code) + "]");
        return name.map(text -> new HazardDefinition(code, text, description, patterns, replacement, location));
    }

    private List<NamedPattern> expressions(Value value) {
        String advice = "Write a regular expression in single quotes, or a list of them: ['\\bE[0-9]{6}\\b'].";
        List<Value> items = value.isList() ? value.items("pattern", advice).orElse(List.of()) : List.of(value);
        List<NamedPattern> patterns = new ArrayList<>();
        for (Value item : items) {
            item.text().ifPresent(text -> {
                try {
                    patterns.add(new NamedPattern(Problems.quote(text), ExpressionPattern.of(text), item.location()));
                } catch (ExpressionPattern.Malformed e) {
                    problems.report(
                            Problem.BAD_EXPRESSION,
                            item.node(),
                            "this expression cannot be used: " + e.getMessage(),
                            "Correct it; the syntax is RE2's, and single quotes keep its backslashes.");
                }
            });
        }
        return patterns;
    }

    private Optional<NamedPattern> keywords(Value value) {
        Optional<List<String>> words = listed(value, "keyword");
        if (words.filter(List::isEmpty).isPresent()) {
            return Optional.empty();
        }
        return words.map(list -> new NamedPattern("keywords", new KeywordPattern(list), value.location()));
    }

    private static List<NamedPattern> numbers(Value value) {
        String advice = "Write one of " + String.join(", ", NUMBERS.keySet()) + ", or a list of them.";
        List<Value> items = value.isList() ? value.items("numbers", advice).orElse(List.of()) : List.of(value);
        List<NamedPattern> patterns = new ArrayList<>();
        for (Value item : items) {
            item.word(NUMBERS)
                    .ifPresent(made -> patterns.add(new NamedPattern("numbers", made.get(), item.location())));
        }
        return patterns;
    }

    Map<String, List<String>> lists(Value value) {
        Map<String, List<String>> lists = new LinkedHashMap<>();
        value.fields(LISTS)
                .ifPresent(fields -> fields.forEach((name, location, list) -> {
                    if (!name.matches("[A-Za-z_][A-Za-z0-9_]*")) {
                        problems.report(
                                Problem.BAD_TEXT,
                                location,
                                "a list's name must be letters, digits and underscores, the first no digit: "
                                        + Problems.quote(name),
                                LISTS.example());
                    }
                    listed(list, name).ifPresent(values -> lists.put(name, values));
                }));
        return lists;
    }

    /** Texts, written out or one a line of a file; there, empty lines and those that start with # do not count. */
    private Optional<List<String>> listed(Value value, String itemName) {
        if (!value.isMapping()) {
            return value.texts(itemName);
        }
        Optional<Value> file = value.fields(FILE).flatMap(fields -> fields.required("file", "file: words.txt"));
        Optional<List<String>> lines = file.flatMap(Value::text)
                .flatMap(name -> files.file(file.get().node(), name))
                .map(text -> text.lines()
                        .map(String::strip)
                        .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                        .toList());
        if (lines.filter(List::isEmpty).isPresent()) {
            return problems.report(
                    Problem.BAD_TEXT, file.get().node(), "this file has no lines", "Write one value in each line.");
        }
        return lines;
    }
}
