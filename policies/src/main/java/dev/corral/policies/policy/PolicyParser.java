package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Policy.HazardReference;
import dev.corral.policies.policy.Policy.HazardSelector;
import dev.corral.policies.policy.Policy.Rule;
import dev.corral.policies.policy.Policy.Source;
import dev.corral.policies.policy.Policy.Threshold;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionEndEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.Tag;

/** Reads policy files. Never throws for what a file says: all that is wrong with it comes back as issues, at once. */
public final class PolicyParser {

    /*
     * Reading goes on after a mistake. Every reader reports what it cannot use and yields nothing, and the policy is built
     * from the rest: a draft. Drafts exist so that the compiler's checks can run beside the parser's, and an author sees
     * all mistakes of both in one go. A draft with errors never leaves this package.
     *
     * Hostile files: the text is limited, the events are checked before the tree is built (the tree builder recurses, the
     * event parser does not), and a file that uses anchors is refused, so that neither deep nesting nor aliases of aliases
     * cost more than reading the text once.
     */

    private static final int LONGEST_FILE = 1 << 20;
    private static final int DEEPEST_NESTING = 16;

    private static final Fields.Keys POLICY = new Fields.Keys(
            List.of(
                    "policy",
                    "version",
                    "owner",
                    "description",
                    "thresholds",
                    "rules",
                    "unscanned",
                    "block",
                    "guards",
                    "streaming"),
            "Start with 'policy: my-policy' and 'version: 1'.");
    private static final Fields.Keys THRESHOLDS =
            new Fields.Keys(List.of(), "Write '{ default: 0.5 }', or hazards such as '{ default: 0.5, S4: 0.1 }'.");
    private static final Fields.Keys RULE = new Fields.Keys(
            List.of("id", "when", "then", "message"), "Write '{ id: my-rule, when: { hazard: S4 }, then: block }'.");
    private static final Fields.Keys WHEN = new Fields.Keys(
            List.of("hazard", "direction"), "Write '{ hazard: S4 }', or '{ hazard: S4, direction: prompt }'.");
    private static final Fields.Keys BLOCK =
            new Fields.Keys(List.of("style", "message"), "Write '{ style: refusal }'.");
    private static final Fields.Keys GUARDS =
            new Fields.Keys(List.of("text"), "Write '{ text: { timeout: 10s, unavailable: error } }'.");
    private static final Fields.Keys GUARD =
            new Fields.Keys(List.of("timeout", "unavailable"), "Write '{ timeout: 10s, unavailable: error }'.");
    private static final Fields.Keys STREAMING = new Fields.Keys(
            List.of("window", "first-window", "lookback"),
            "Write '{ window: 200 characters, first-window: 60 characters, lookback: all }'.");

    private static final Map<String, Action> ACTIONS = words(List.of(Action.values()));
    private static final Map<String, Action> UNSCANNED = words(List.of(Action.BLOCK, Action.FLAG, Action.ALLOW));
    private static final Map<String, Direction> DIRECTIONS = words(List.of(Direction.values()));
    private static final Map<String, BlockStyle> STYLES = words(List.of(BlockStyle.values()));
    private static final Map<String, GuardUse.Unavailable> OUTCOMES = words(List.of(GuardUse.Unavailable.values()));
    private static final Map<String, Boolean> LOOKBACKS = Map.of("all", true);

    private final Source source;
    private final Problems problems;
    private final Map<String, Integer> lineOfRule = new HashMap<>();

    private PolicyParser(Source source) {
        this.source = source;
        this.problems = new Problems(source.origin());
    }

    /**
     * Reads a policy.
     *
     * @param source the whole text of the file
     * @param origin its name, for issues
     */
    public static ParsedPolicy parse(String source, String origin) {
        Draft draft = draft(new Source(origin, source));
        return new ParsedPolicy(
                draft.problems().hasErrors() ? Optional.empty() : draft.policy(),
                draft.problems().issues());
    }

    /** What could be read, even where there are errors; only for checks that find more of them. */
    static Draft draft(Source source) {
        PolicyParser parser = new PolicyParser(source);
        return new Draft(parser.root().flatMap(parser::policy), parser.problems);
    }

    record Draft(Optional<Policy> policy, Problems problems) {}

    private Optional<Value> root() {
        LoadSettings settings = LoadSettings.builder()
                .setLabel(source.origin())
                .setCodePointLimit(LONGEST_FILE)
                .setAllowDuplicateKeys(true)
                .setAllowNonScalarKeys(true)
                .build();
        try {
            if (!checkEvents(new Parse(settings).parseString(source.text()))) {
                return Optional.empty();
            }
            Optional<Node> node = new Compose(settings).composeString(source.text());
            if (node.filter(MappingNode.class::isInstance).isEmpty()) {
                problems.report(
                        Problem.NOT_A_POLICY,
                        node.map(problems::locate).orElseGet(() -> SourceLocation.wholeOf(source.origin())),
                        node.isEmpty() ? "the file is empty" : "a policy must be a mapping of keys to values",
                        POLICY.example());
                return Optional.empty();
            }
            return node.map(n -> new Value("a policy", n, problems));
        } catch (MarkedYamlEngineException e) {
            problems.report(
                    Problem.SYNTAX,
                    problems.locate(e.getProblemMark().or(e::getContextMark)),
                    "this is not YAML: " + e.getProblem(),
                    "Look at the indentation, the colons, the brackets and the quotes here and in the line above.");
        } catch (ReaderException e) {
            problems.report(
                    Problem.SYNTAX,
                    locate(e.getPosition()),
                    String.format("this is not YAML: the character U+%04X is not allowed", e.getCodePoint()),
                    "Remove it.");
        } catch (YamlEngineException e) {
            problems.report(
                    Problem.SYNTAX,
                    SourceLocation.wholeOf(source.origin()),
                    "this is not YAML: " + e.getMessage(),
                    "A policy is a short text in YAML, at most " + LONGEST_FILE + " characters.");
        }
        return Optional.empty();
    }

    /** Whether a tree may be built of these events. */
    private boolean checkEvents(Iterable<Event> events) {
        int depth = 0;
        int documents = 0;
        boolean plain = true;
        for (Event event : events) {
            SourceLocation location = problems.locate(event.getStartMark());
            if (event instanceof NodeEvent node
                    && !(event instanceof AliasEvent)
                    && node.getAnchor().isPresent()) {
                plain = false;
                problems.report(
                        Problem.ANCHOR,
                        location,
                        "a policy must not use YAML anchors",
                        "Remove it, and write the value out where an alias stands for it, so that a reader sees it there.");
            }
            if (event instanceof DocumentStartEvent && ++documents > 1) {
                problems.report(
                        Problem.NOT_A_POLICY,
                        location,
                        "a file must hold one policy, and here a second one starts",
                        "Move it to its own file, or remove the line '---'.");
                return false;
            }
            if (event instanceof CollectionStartEvent && ++depth > DEEPEST_NESTING) {
                problems.report(
                        Problem.NESTING,
                        location,
                        "a policy must not nest deeper than " + DEEPEST_NESTING + " levels",
                        "Remove some of the brackets.");
                return false;
            }
            if (event instanceof CollectionEndEvent) {
                depth--;
            }
        }
        return plain;
    }

    private SourceLocation locate(int index) {
        int[] before = source.text().codePoints().limit(index).toArray();
        int line = 1;
        int column = 1;
        for (int codePoint : before) {
            column = codePoint == '\n' ? 1 : column + 1;
            line = codePoint == '\n' ? line + 1 : line;
        }
        return new SourceLocation(source.origin(), line, column);
    }

    private Optional<Policy> policy(Value root) {
        return root.fields(POLICY).map(fields -> {
            Optional<Fields> thresholds = fields.optional("thresholds").flatMap(value -> value.fields(THRESHOLDS));
            Optional<Fields> block = fields.optional("block").flatMap(value -> value.fields(BLOCK));
            return new Policy(
                    fields.required("policy", "policy: my-policy")
                            .flatMap(Value::identifier)
                            .orElse(""),
                    fields.required("version", "version: 1")
                            .flatMap(Value::ordinal)
                            .orElse(0),
                    fields.optional("owner").flatMap(Value::text),
                    fields.optional("description").flatMap(Value::text),
                    thresholds.flatMap(values -> values.optional("default")).flatMap(Value::threshold),
                    thresholds.map(this::thresholds).orElse(List.of()),
                    fields.optional("rules").map(this::rules).orElse(List.of()),
                    fields.optional("unscanned")
                            .flatMap(value -> value.word(UNSCANNED))
                            .orElse(Action.BLOCK),
                    block.flatMap(values -> values.optional("style"))
                            .flatMap(value -> value.word(STYLES))
                            .orElse(BlockStyle.REFUSAL),
                    block.flatMap(values -> values.optional("message")).flatMap(Value::text),
                    fields.optional("guards").map(this::textGuard).orElse(GuardUse.DEFAULT),
                    fields.optional("streaming").map(this::streaming).orElse(StreamingWindows.DEFAULT),
                    source);
        });
    }

    private List<Threshold> thresholds(Fields fields) {
        List<Threshold> thresholds = new ArrayList<>();
        fields.forEach((code, location, value) -> {
            if (!code.equals("default")) {
                Optional<Probability> threshold = value.threshold();
                // a hazard is checked even where its number is wrong
                thresholds.add(new Threshold(new HazardReference(code, location), threshold.orElse(Probability.ONE)));
            }
        });
        return thresholds;
    }

    private List<Rule> rules(Value value) {
        return value
                .items("rule", "Write each rule as '- { id: my-rule, when: { hazard: S4 }, then: block }'.")
                .orElse(List.of())
                .stream()
                .flatMap(item -> item.fields(RULE).flatMap(fields -> rule(item, fields)).stream())
                .toList();
    }

    private Optional<Rule> rule(Value item, Fields fields) {
        Optional<String> id = fields.required("id", "id: my-rule").flatMap(this::ruleId);
        Optional<Fields> when = fields.required("when", "when: { hazard: S4 }").flatMap(value -> value.fields(WHEN));
        Optional<HazardSelector> hazards = when.flatMap(
                        values -> values.required("hazard", "hazard: S4', or 'hazard: any"))
                .flatMap(this::hazards);
        Optional<Set<Direction>> directions = when.flatMap(values -> values.optional("direction")
                .map(value -> value.word(DIRECTIONS).map(Set::of))
                .orElse(Optional.of(Set.of(Direction.values()))));
        Optional<Action> action = fields.required("then", "then: block").flatMap(value -> value.word(ACTIONS));
        Optional<Value> message = fields.optional("message");
        Optional<String> text = message.flatMap(Value::text);
        if (action.equals(Optional.of(Action.RESPOND)) && message.isEmpty()) {
            problems.report(
                    Problem.MESSAGE_MISSING,
                    item.node(),
                    "a rule that responds must have a message",
                    "Add 'message:' with the words that the client gets instead of the model's.");
        }
        if (message.isPresent()
                && action.filter(a -> a == Action.ALLOW || a == Action.FLAG).isPresent()) {
            problems.report(
                    Problem.MESSAGE_IGNORED,
                    message.get().node(),
                    "no client sees this message, because the content passes",
                    "Remove it, or write 'then: respond' or 'then: block'.");
        }
        if (id.isEmpty() || hazards.isEmpty() || directions.isEmpty() || action.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new Rule(id.get(), hazards.get(), directions.get(), action.get(), text, item.location()));
    }

    private Optional<String> ruleId(Value value) {
        Optional<String> id = value.identifier();
        id.map(text -> lineOfRule.putIfAbsent(text, value.location().line()))
                .ifPresent(line -> problems.report(
                        Problem.DUPLICATE_RULE,
                        value.node(),
                        "the id '" + id.get() + "' is taken by the rule in line " + line,
                        "Give each rule an id of its own; decisions and audits name rules by it."));
        return id;
    }

    private Optional<HazardSelector> hazards(Value value) {
        String advice = "Write a hazard such as S4, a list such as [S1, S2], or any.";
        if (!value.isList()) {
            return value.scalar("a hazard, a list of hazards, or any", advice, Tag.STR)
                    .map(code -> code.equals("any")
                            ? new HazardSelector.Any()
                            : new HazardSelector.Named(List.of(new HazardReference(code, value.location()))));
        }
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
        return references.isEmpty() ? Optional.empty() : Optional.of(new HazardSelector.Named(references));
    }

    private GuardUse textGuard(Value guards) {
        Optional<Fields> fields =
                guards.fields(GUARDS).flatMap(values -> values.optional("text")).flatMap(value -> value.fields(GUARD));
        Optional<Duration> timeout =
                fields.flatMap(values -> values.optional("timeout")).flatMap(Value::duration);
        Optional<GuardUse.Unavailable> unavailable =
                fields.flatMap(values -> values.optional("unavailable")).flatMap(value -> value.word(OUTCOMES));
        return new GuardUse(
                timeout.orElse(GuardUse.DEFAULT.timeout()), unavailable.orElse(GuardUse.DEFAULT.unavailable()));
    }

    private StreamingWindows streaming(Value value) {
        Optional<Fields> fields = value.fields(STREAMING);
        fields.flatMap(values -> values.optional("lookback")).ifPresent(lookback -> lookback.word(LOOKBACKS));
        return new StreamingWindows(
                fields.flatMap(values -> values.optional("first-window"))
                        .flatMap(Value::characters)
                        .orElse(StreamingWindows.DEFAULT.firstWindow()),
                fields.flatMap(values -> values.optional("window"))
                        .flatMap(Value::characters)
                        .orElse(StreamingWindows.DEFAULT.window()));
    }

    /** These constants by the words for them, in this order. */
    private static <E extends Enum<E>> Map<String, E> words(List<E> constants) {
        Map<String, E> words = new LinkedHashMap<>();
        constants.forEach(constant -> words.put(constant.name().toLowerCase(Locale.ROOT), constant));
        return words;
    }
}
