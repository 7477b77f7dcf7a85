package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.expression.Condition;
import dev.corral.policies.expression.Condition.Mistake;
import dev.corral.policies.policy.Policy.Expression;
import dev.corral.policies.policy.Policy.HazardDefinition;
import dev.corral.policies.policy.Policy.HazardReference;
import dev.corral.policies.policy.Policy.HazardSelector;
import dev.corral.policies.policy.Policy.ListReference;
import dev.corral.policies.policy.Policy.NamedPattern;
import dev.corral.policies.policy.Policy.Rule;
import dev.corral.policies.policy.Policy.Threshold;
import dev.corral.policies.policy.Policy.When;
import dev.corral.policies.taxonomy.CustomHazard;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.StandardHazard;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Checks policies against what a guard can see, and makes them ready for decisions. */
public final class PolicyCompiler {

    private final Policy policy;
    private final GuardSight sight;
    private final Problems problems;
    private final Vocabulary vocabulary;

    private PolicyCompiler(Policy policy, GuardSight sight, Problems problems) {
        this.policy = policy;
        this.sight = sight;
        this.problems = problems;
        this.vocabulary = vocabulary();
    }

    /**
     * Makes a policy ready for decisions on what one guard finds.
     *
     * @throws PolicyException if a hazard is unknown to the guard, or a rule can never be reached
     */
    public static CompiledPolicy compile(Policy policy, GuardSight sight) {
        return compile(
                Optional.of(policy),
                policy.sources(),
                sight,
                new Problems(policy.source().origin()));
    }

    /** Compiles a draft; its parser's problems and the compiler's are thrown together. */
    static CompiledPolicy compile(
            Optional<Policy> draft, List<Policy.Source> sources, GuardSight sight, Problems problems) {
        Optional<CompiledPolicy> compiled = draft.map(policy -> new PolicyCompiler(policy, sight, problems).compile());
        if (problems.hasErrors()) {
            throw new PolicyException(problems.issues(), sources);
        }
        return compiled.orElseThrow();
    }

    private CompiledPolicy compile() {
        Map<Hazard, Probability> thresholds = new LinkedHashMap<>();
        for (Threshold threshold : policy.thresholds()) {
            hazard(threshold.hazard()).ifPresent(hazard -> thresholds.put(hazard, threshold.value()));
        }
        List<CompiledRule> rules = policy.rules().stream().map(this::compile).toList();
        checkTests();
        checkGuards();
        Probability defaultThreshold = policy.defaultThreshold().orElse(sight.recommendedThreshold());
        new PolicyLinter(policy, vocabulary, rules, defaultThreshold, thresholds, problems).lint();
        // what conditions need may still be in preparation, and nothing else waits for it
        List<CompiledRule> complete = IntStream.range(0, rules.size())
                .mapToObj(i -> complete(policy.rules().get(i), rules.get(i)))
                .toList();
        return new CompiledPolicy(policy, vocabulary, complete, defaultThreshold, thresholds, problems.issues());
    }

    private Vocabulary vocabulary() {
        List<Hazard> hazards = new ArrayList<>(sight.taxonomy().hazards());
        List<Hazard> asked = new ArrayList<>(hazards);
        Map<Hazard, List<NamedPattern>> patterns = new LinkedHashMap<>();
        Map<Hazard, String> replacements = new LinkedHashMap<>();
        for (HazardDefinition definition : policy.hazards()) {
            if (sight.taxonomy().byCode(definition.code()).isPresent()) {
                problems.report(
                        Problem.ALREADY_DEFINED,
                        definition.location(),
                        "the guard has a hazard " + Problems.quote(definition.code()) + " of its own",
                        "Give yours another code.");
                continue;
            }
            Hazard hazard = new CustomHazard(definition.code(), definition.name(), definition.description());
            hazards.add(hazard);
            if (!definition.patterns().isEmpty()) {
                patterns.put(hazard, definition.patterns());
                replacements.put(hazard, definition.replacement());
            } else if (definition.description().isPresent()) {
                asked.add(hazard);
                if (sight.places() == 0) {
                    problems.report(
                            Problem.HAZARD_NOT_SEEN,
                            definition.location(),
                            "the guard cannot be asked for a hazard of a policy's own: "
                                    + Problems.quote(definition.code()),
                            "Use a guard that can, or give the hazard patterns, keywords or numbers.");
                }
            }
        }
        Vocabulary all = new Vocabulary(hazards, asked, patterns, replacements, Set.of());
        Set<Hazard> excluded = new LinkedHashSet<>();
        for (HazardReference reference : policy.excluded()) {
            hazard(reference, all).ifPresent(excluded::add);
        }
        asked.removeAll(excluded);
        checkPlaces(asked);
        return new Vocabulary(hazards, asked, patterns, replacements, excluded);
    }

    /** A guard tells hazards apart by the codes of its list: each of a policy's own needs the place of an excluded one. */
    private void checkPlaces(List<Hazard> asked) {
        if (sight.places() == 0 || asked.size() <= sight.places()) {
            return;
        }
        String first = asked.get(sight.places()).code();
        policy.hazards().stream()
                .filter(definition -> definition.code().equals(first))
                .forEach(definition -> problems.report(
                        Problem.NO_PLACE,
                        definition.location(),
                        "the guard's list has room for " + sight.places() + " hazards, and this policy asks for "
                                + asked.size() + ": there is no place for " + Problems.quote(first),
                        "Exclude a hazard of the guard for each of your own, such as 'exclude: [S13]': yours takes its"
                                + " place."));
    }

    /** The rule under its condition, if it has one. */
    private CompiledRule complete(Rule rule, CompiledRule compiled) {
        if (rule.when().expression().isEmpty()) {
            return compiled;
        }
        Optional<Condition> condition = condition(rule.when().expression().get());
        if (rule.action() == Action.REDACT
                && rule.when().tools().isEmpty()
                && condition.filter(c -> c.uses("tool")).isPresent()) {
            reportRedactionOfTools(rule);
        }
        return compiled.under(condition);
    }

    /** All of a rule but its condition. */
    private CompiledRule compile(Rule rule) {
        When when = rule.when();
        Optional<Set<Hazard>> hazards = switch (when.hazards()) {
            case HazardSelector.Any any -> Optional.empty();
            case HazardSelector.Named named ->
                Optional.of(named.hazards().stream()
                        .flatMap(reference -> hazard(reference).stream())
                        .collect(Collectors.toCollection(LinkedHashSet::new)));
        };
        if (rule.action() == Action.REDACT) {
            checkRedaction(rule, hazards);
        }
        return new CompiledRule(
                Optional.of(rule.id()),
                hazards,
                when.directions(),
                when.sources(),
                globs(when.tools()),
                globs(when.routes()),
                globs(when.tenants()),
                listed(when.tenantLists()),
                globs(when.models()),
                when.languages(),
                listed(when.hashLists()),
                when.probability(),
                Optional.empty(),
                rule.action(),
                rule.message(),
                rule.audit());
    }

    private void reportRedactionOfTools(Rule rule) {
        problems.report(
                Problem.CANNOT_REDACT,
                rule.location(),
                "rule '" + rule.id()
                        + "' redacts texts of some tools only, and spans are taken out of those of all tools alike",
                "Write 'source: tool-call', or another source, in place of 'tool', or 'block'.");
    }

    private void checkRedaction(Rule rule, Optional<Set<Hazard>> hazards) {
        if (!rule.when().tools().isEmpty()) {
            reportRedactionOfTools(rule);
            return;
        }
        if (hazards.isEmpty()) {
            problems.report(
                    Problem.CANNOT_REDACT,
                    rule.location(),
                    "rule '" + rule.id() + "' redacts any hazard, and only those with patterns have a span",
                    "Name them: 'hazard: cards', or 'hazard: [cards, ibans]'; a condition can be added as 'condition'.");
            return;
        }
        for (Hazard hazard : hazards.get()) {
            List<NamedPattern> patterns = vocabulary.patterns().get(hazard);
            if (patterns == null) {
                problems.report(
                        Problem.CANNOT_REDACT,
                        rule.location(),
                        "rule '" + rule.id() + "' redacts " + PolicyLinter.describe(hazard)
                                + ", which a guard finds in a text as a whole, without a span",
                        "Write 'block', 'respond' or 'flag', or make a rule for it of its own.");
            } else if (rule.when().directions().contains(Direction.COMPLETION)) {
                patterns.stream()
                        .filter(named -> named.pattern().longest().isEmpty())
                        .forEach(named -> problems.report(
                                Problem.CANNOT_REDACT,
                                named.location(),
                                "this expression may match more than 1000 characters, so that it cannot be redacted from a"
                                        + " stream",
                                "Limit its repetitions, such as '{1,64}' in place of '+', or redact prompts only."));
            }
        }
    }

    private Optional<Condition> condition(Expression expression) {
        return switch (Condition.check(expression.text(), policy.lists())) {
            case Condition.Result.Checked checked -> Optional.of(checked.condition());
            case Condition.Result.Wrong wrong -> {
                wrong.mistakes().forEach(mistake -> report(expression, mistake));
                yield Optional.empty();
            }
        };
    }

    private void report(Expression expression, Mistake mistake) {
        SourceLocation location = expression.at(mistake.offset());
        switch (mistake.kind()) {
            case SYNTAX ->
                problems.report(
                        Problem.BAD_EXPRESSION,
                        location,
                        mistake.message(),
                        "Write a condition such as \"hazard == 'S10' && unsafe < 0.7\".");
            case UNKNOWN_VARIABLE -> {
                Set<String> known = new LinkedHashSet<>(Condition.variableNames());
                policy.lists().keySet().forEach(list -> known.add(list));
                problems.report(
                        Problem.UNKNOWN_VARIABLE,
                        location,
                        mistake.message(),
                        Spelling.nearest(quoted(mistake.message()), known)
                                .map(word -> "Did you mean '" + word + "'?")
                                .orElse("Use " + String.join(", ", Condition.variableNames()) + "."));
            }
            case WRONG_TYPE ->
                problems.report(
                        Problem.EXPRESSION_TYPE,
                        location,
                        mistake.message(),
                        "probability and unsafe are numbers, lists are lists of texts, everything else is a text.");
            case COST ->
                problems.report(
                        Problem.EXPRESSION_COST, location, mistake.message(), "Use a list and 'in', or several rules.");
            case FORBIDDEN ->
                problems.report(
                        Problem.BAD_EXPRESSION,
                        location,
                        mistake.message(),
                        "Conditions compare (==, !=, <, <=, >, >=, in), join (&&, ||, !) and look into texts (startsWith,"
                                + " endsWith, contains, matches, size).");
        }
    }

    private static String quoted(String message) {
        return message.substring(message.indexOf('\'') + 1, message.lastIndexOf('\''));
    }

    private static List<Glob> globs(List<String> names) {
        return names.stream().map(Glob::of).toList();
    }

    private Optional<Set<String>> listed(List<ListReference> references) {
        if (references.isEmpty()) {
            return Optional.empty();
        }
        Set<String> values = new HashSet<>();
        for (ListReference reference : references) {
            List<String> list = policy.lists().get(reference.name());
            if (list == null) {
                problems.report(
                        Problem.UNKNOWN_LIST,
                        reference.location(),
                        "there is no list " + Problems.quote(reference.name()),
                        Spelling.nearest(reference.name(), policy.lists().keySet())
                                .map(word -> "Did you mean '" + word + "'?")
                                .orElse("Define it under 'lists'."));
            } else {
                values.addAll(list);
            }
        }
        return Optional.of(values);
    }

    private void checkTests() {
        Set<String> ids = policy.rules().stream().map(Rule::id).collect(Collectors.toCollection(LinkedHashSet::new));
        for (PolicyTest test : policy.tests()) {
            test.given().keySet().forEach(this::hazard);
            test.by()
                    .filter(id -> !ids.contains(id))
                    .ifPresent(id -> problems.report(
                            Problem.UNKNOWN_RULE,
                            test.location(),
                            "this test expects rule " + Problems.quote(id) + ", which there is not",
                            Spelling.nearest(id, ids)
                                    .map(word -> "Did you mean '" + word + "'?")
                                    .orElse("Write the id of a rule, or leave 'by' out.")));
        }
    }

    private void checkGuards() {
        sight.names().ifPresent(names -> {
            for (GuardKind kind : GuardKind.values()) {
                policy.guards()
                        .of(kind)
                        .use()
                        .filter(reference -> !names.of(kind).contains(reference.name()))
                        .ifPresent(reference -> unknownGuard(kind, reference, names.of(kind)));
            }
        });
    }

    private void unknownGuard(GuardKind kind, Policy.GuardReference reference, Set<String> known) {
        String guard = kind == GuardKind.TEXT ? "guard" : "guard for images";
        problems.report(
                Problem.UNKNOWN_GUARD,
                reference.location(),
                "the gateway has no " + guard + " " + Problems.quote(reference.name()) + "; it has "
                        + (known.isEmpty() ? "none" : known.stream().sorted().collect(Collectors.joining(", "))),
                known.isEmpty()
                        ? "Leave 'use' out, or run the gateway with one: corral.guard.vision."
                        : Spelling.nearest(reference.name(), known)
                                .map(name -> "Did you mean '" + name + "'?")
                                .orElse("Correct it, or leave 'use' out for the one that there is."));
    }

    private Optional<Hazard> hazard(HazardReference reference) {
        return hazard(reference, vocabulary);
    }

    private Optional<Hazard> hazard(HazardReference reference, Vocabulary known) {
        Optional<Hazard> hazard = known.byCode(reference.code());
        if (hazard.isEmpty()) {
            String seen = known.hazards().stream().map(Hazard::code).collect(Collectors.joining(", "));
            Optional<StandardHazard> unseen = StandardHazard.byCode(reference.code());
            if (unseen.isPresent()) {
                problems.report(
                        Problem.HAZARD_NOT_SEEN,
                        reference.location(),
                        "the guard does not look for hazard " + PolicyLinter.describe(unseen.get()) + "; it sees "
                                + seen,
                        "Remove it, or use a guard that looks for it.");
            } else {
                problems.report(
                        Problem.UNKNOWN_HAZARD,
                        reference.location(),
                        "there is no hazard " + Problems.quote(reference.code()),
                        meant(reference.code(), known)
                                .map(h -> "Did you mean " + PolicyLinter.describe(h) + "?")
                                .orElse("Write one of " + seen + "."));
            }
        }
        return hazard;
    }

    private static Optional<Hazard> meant(String word, Vocabulary known) {
        Map<String, Hazard> words = new LinkedHashMap<>();
        for (Hazard hazard : known.hazards()) {
            words.put(hazard.code(), hazard);
            words.put(hazard.displayName(), hazard);
        }
        return Spelling.nearest(word, words.keySet()).map(words::get);
    }
}
