package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.pattern.ExpressionPattern;
import dev.corral.policies.policy.Policy.Expression;
import dev.corral.policies.policy.Policy.HazardDefinition;
import dev.corral.policies.policy.Policy.HazardReference;
import dev.corral.policies.policy.Policy.NamedPattern;
import dev.corral.policies.policy.Policy.Range;
import dev.corral.policies.policy.Policy.Rule;
import dev.corral.policies.policy.Policy.Threshold;
import dev.corral.policies.policy.Policy.When;
import dev.corral.policies.taxonomy.Hazard;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Finds what a policy says without effect, or with another one than its author may believe. */
final class PolicyLinter {

    private static final Set<ContentSource> ANSWERING =
            EnumSet.of(ContentSource.ASSISTANT, ContentSource.TOOL_CALL, ContentSource.REASONING);

    private final Policy policy;
    private final Vocabulary vocabulary;
    private final List<CompiledRule> compiled;
    private final Probability defaultThreshold;
    private final Map<Hazard, Probability> thresholds;
    private final Problems problems;
    private final Map<String, List<Integer>> narrow = new HashMap<>();

    PolicyLinter(
            Policy policy,
            Vocabulary vocabulary,
            List<CompiledRule> compiled,
            Probability defaultThreshold,
            Map<Hazard, Probability> thresholds,
            Problems problems) {
        this.policy = policy;
        this.vocabulary = vocabulary;
        this.compiled = compiled;
        this.defaultThreshold = defaultThreshold;
        this.thresholds = thresholds;
        this.problems = problems;
    }

    /** A case that rules without further conditions tell apart. */
    private record Cell(Hazard hazard, Direction direction, ContentSource source) {}

    void lint() {
        Map<Cell, Rule> taken = new HashMap<>();
        for (int i = 0; i < policy.rules().size(); i++) {
            reach(i, taken);
        }
        if (problems.hasErrors()) {
            return;
        }
        policy.thresholds().forEach(threshold -> warnIfWithoutEffect(threshold, taken));
        IntStream.range(0, policy.rules().size()).forEach(this::warnIfBelowThreshold);
        warnIfStrongerIsKinder();
        warnIfPatternsOverlap();
        warnIfLanguagesLack();
        warnIfEverythingIsAllowed(taken);
    }

    private void reach(int index, Map<Cell, Rule> taken) {
        Rule rule = policy.rules().get(index);
        When when = rule.when();
        Collection<Hazard> about = compiled.get(index)
                .hazards()
                .<Collection<Hazard>>map(set -> set)
                .orElse(vocabulary.hazards());
        List<Hazard> hazards = about.stream()
                .filter(hazard -> !vocabulary.excluded().contains(hazard))
                .toList();
        if (hazards.isEmpty() && !about.isEmpty()) {
            unreachable(rule, "its hazards are excluded", "Remove it, or take its hazards out of 'exclude'.");
            return;
        }
        List<Cell> cells = cells(hazards, when);
        if (cells.isEmpty() && !hazards.isEmpty()) {
            unreachable(
                    rule,
                    "no model's answer comes from "
                            + when.sources().stream().map(ContentSource::word).collect(Collectors.joining(" or ")),
                    "Write 'direction: prompt', or another source.");
            return;
        }
        if (!when.tools().isEmpty() && when.sources().stream().noneMatch(ContentSource::isOfTool)) {
            unreachable(
                    rule,
                    "only the definition, a call and the result of a tool name one",
                    "Write a source such as 'source: tool-call', or remove 'source' or 'tool'.");
            return;
        }
        if (!cells.isEmpty() && taken.keySet().containsAll(cells)) {
            String takers = cells.stream()
                    .map(taken::get)
                    .distinct()
                    .map(PolicyLinter::named)
                    .collect(Collectors.joining(" and "));
            unreachable(
                    rule,
                    "its hazards go to " + takers,
                    "Move it up, narrow the earlier rule, or remove it. Each hazard takes its first matching rule.");
        } else {
            names(when)
                    .flatMap(name -> narrow.getOrDefault(name, List.of()).stream())
                    .filter(i -> covers(i, when, hazards))
                    .min(Comparator.naturalOrder())
                    .map(policy.rules()::get)
                    .ifPresent(earlier -> unreachable(
                            rule,
                            named(earlier) + " takes everything that it is for",
                            "Move it up, narrow the earlier rule, or remove it. Each hazard takes its first matching"
                                    + " rule."));
        }
        if (when.isPlain()) {
            cells.forEach(cell -> taken.putIfAbsent(cell, rule));
        } else {
            narrowest(when)
                    .forEach(name ->
                            narrow.computeIfAbsent(name, _ -> new ArrayList<>()).add(index));
        }
    }

    /*
     * A rule leaves nothing of another one only if each kind of names that it has is there in the other, too. So a rule is
     * looked for under the names of one kind that it has, the kind by which rules differ most, and not among all rules.
     */

    private static final String NO_NAMES = "";

    /** Under what to look for the rules that may leave nothing of these cases. */
    private static Stream<String> names(When when) {
        return Stream.concat(Stream.of(NO_NAMES), kinds(when).map(List::getFirst));
    }

    /** Under what a rule can be found. */
    private static List<String> narrowest(When when) {
        return kinds(when).findFirst().orElse(List.of(NO_NAMES));
    }

    private static Stream<List<String>> kinds(When when) {
        return Stream.of(
                        kind("condition", when.expression().map(Expression::text).stream()),
                        kind("route", when.routes().stream()),
                        kind("tenant", when.tenants().stream()),
                        kind("model", when.models().stream()),
                        kind("language", when.languages().stream()))
                .filter(names -> !names.isEmpty());
    }

    private static List<String> kind(String kind, Stream<String> names) {
        return names.map(name -> kind + " " + name).toList();
    }

    /** Whether an earlier rule with further conditions leaves nothing of these cases. */
    private boolean covers(int earlier, When when, List<Hazard> hazards) {
        return policy.rules().get(earlier).when().covers(when)
                && compiled.get(earlier)
                        .hazards()
                        .map(set -> set.containsAll(hazards))
                        .orElse(true);
    }

    private static String named(Rule rule) {
        return "'" + rule.id() + "' in line " + rule.location().line();
    }

    private static List<Cell> cells(Collection<Hazard> hazards, When when) {
        List<Cell> cells = new ArrayList<>();
        for (Hazard hazard : hazards) {
            for (Direction direction : when.directions()) {
                for (ContentSource source : when.sources()) {
                    if (direction == Direction.PROMPT || ANSWERING.contains(source)) {
                        cells.add(new Cell(hazard, direction, source));
                    }
                }
            }
        }
        return cells;
    }

    private void unreachable(Rule rule, String why, String advice) {
        problems.report(
                Problem.UNREACHABLE_RULE,
                rule.location(),
                "rule '" + rule.id() + "' can never be reached: " + why,
                advice);
    }

    private List<Cell> everyCell(Hazard hazard) {
        return cells(List.of(hazard), EVERYTHING);
    }

    private static final When EVERYTHING = new When(
            new Policy.HazardSelector.Any(),
            EnumSet.allOf(Direction.class),
            EnumSet.allOf(ContentSource.class),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            Range.ALL,
            Optional.empty());

    private boolean isAllowed(Hazard hazard, Map<Cell, Rule> taken) {
        return everyCell(hazard).stream()
                        .allMatch(cell -> Optional.ofNullable(taken.get(cell))
                                .map(Rule::action)
                                .equals(Optional.of(Action.ALLOW)))
                && compiled.stream()
                        .filter(rule -> rule.isAbout(hazard))
                        .allMatch(rule -> rule.action() == Action.ALLOW);
    }

    private void warnIfWithoutEffect(Threshold threshold, Map<Cell, Rule> taken) {
        Optional<Hazard> hazard = vocabulary.byCode(threshold.hazard().code());
        HazardReference reference = threshold.hazard();
        if (hazard.isEmpty()) {
            return;
        }
        if (vocabulary.excluded().contains(hazard.get())) {
            withoutEffect(
                    reference, hazard.get(), "does nothing, because that hazard is excluded", "Remove one of both.");
        } else if (vocabulary.patterns().containsKey(hazard.get())) {
            withoutEffect(
                    reference,
                    hazard.get(),
                    "does nothing, because a pattern matches or does not",
                    "Remove the threshold.");
        } else if (isAllowed(hazard.get(), taken)) {
            withoutEffect(
                    reference,
                    hazard.get(),
                    "blocks nothing, because that hazard is always allowed",
                    "Remove the threshold, or change the rule that allows the hazard.");
        }
    }

    private void withoutEffect(HazardReference reference, Hazard hazard, String why, String advice) {
        problems.report(
                Problem.THRESHOLD_WITHOUT_EFFECT,
                reference.location(),
                "the threshold of " + describe(hazard) + " " + why,
                advice);
    }

    private void warnIfBelowThreshold(int index) {
        Rule rule = policy.rules().get(index);
        double below = rule.when().probability().below();
        Collection<Hazard> about = compiled.get(index)
                .hazards()
                .<Collection<Hazard>>map(set -> set)
                .orElse(vocabulary.hazards());
        boolean never = about.stream()
                .allMatch(hazard ->
                        thresholds.getOrDefault(hazard, defaultThreshold).value() >= below);
        if (never) {
            problems.report(
                    Problem.BELOW_THRESHOLD,
                    rule.location(),
                    "rule '" + rule.id() + "' is for probabilities below " + below
                            + ", where its hazards do not count as present",
                    "Raise 'below', or lower the thresholds.");
        }
    }

    private void warnIfStrongerIsKinder() {
        List<Integer> graded = IntStream.range(0, compiled.size())
                .filter(i -> policy.rules().get(i).when().isGraded())
                .boxed()
                .toList();
        Set<String> reported = new LinkedHashSet<>();
        for (Hazard hazard : vocabulary.hazards()) {
            List<Integer> about =
                    graded.stream().filter(i -> compiled.get(i).isAbout(hazard)).toList();
            for (Cell cell : everyCell(hazard)) {
                warnIfStrongerIsKinder(cell, about, reported);
            }
        }
    }

    private void warnIfStrongerIsKinder(Cell cell, List<Integer> graded, Set<String> reported) {
        double threshold =
                thresholds.getOrDefault(cell.hazard, defaultThreshold).value();
        TreeSet<Double> steps = new TreeSet<>(Set.of(threshold));
        List<Integer> about = new ArrayList<>();
        for (int i : graded) {
            When when = policy.rules().get(i).when();
            if (when.directions().contains(cell.direction) && when.sources().contains(cell.source)) {
                about.add(i);
                steps.add(when.probability().atLeast());
                steps.add(when.probability().below());
            }
        }
        Optional<Integer> weaker = Optional.empty();
        for (double step : steps.tailSet(threshold)) {
            Optional<Integer> rule = about.stream()
                    .filter(i -> policy.rules().get(i).when().probability().contains(step))
                    .findFirst();
            if (step <= 1
                    && weaker.isPresent()
                    && rule.isPresent()
                    && compiled.get(rule.get())
                                    .action()
                                    .compareTo(compiled.get(weaker.get()).action())
                            < 0
                    && reported.add(policy.rules().get(rule.get()).id())) {
                problems.report(
                        Problem.STRONGER_IS_KINDER,
                        policy.rules().get(rule.get()).location(),
                        "rule '" + policy.rules().get(rule.get()).id() + "' is kinder to a stronger finding than "
                                + named(policy.rules().get(weaker.get()))
                                + " is to a weaker one, so the stricter one acts",
                        "Swap their actions, or remove one.");
            }
            weaker = rule.isEmpty() ? weaker : rule;
        }
    }

    private void warnIfPatternsOverlap() {
        List<HazardDefinition> definitions = policy.hazards();
        for (int i = 0; i < definitions.size(); i++) {
            for (NamedPattern pattern : definitions.get(i).patterns()) {
                for (HazardDefinition earlier : definitions.subList(0, i)) {
                    earlier.patterns().stream()
                            .flatMap(other -> witness(pattern, other).stream())
                            .findFirst()
                            .ifPresent(witness -> problems.report(
                                    Problem.PATTERNS_OVERLAP,
                                    pattern.location(),
                                    pattern.text() + " also finds what hazard " + Problems.quote(earlier.code())
                                            + " finds, such as " + Problems.quote(witness),
                                    "Narrow one of them, or put both into one hazard."));
                }
            }
        }
    }

    private static Optional<String> witness(NamedPattern one, NamedPattern other) {
        return Stream.of(one, other)
                .flatMap(named -> named.pattern() instanceof ExpressionPattern expression
                        ? expression.examples().stream()
                        : Stream.empty())
                .filter(text -> !one.pattern().find(text).isEmpty()
                        && !other.pattern().find(text).isEmpty())
                .findFirst();
    }

    private void warnIfLanguagesLack() {
        Set<String> all = new LinkedHashSet<>();
        policy.blockMessage().ifPresent(messages -> all.addAll(messages.languages()));
        policy.rules().forEach(rule -> rule.message().ifPresent(messages -> all.addAll(messages.languages())));
        for (Rule rule : policy.rules()) {
            rule.message().ifPresent(messages -> {
                Set<String> lacking = new LinkedHashSet<>(all);
                lacking.removeAll(messages.languages());
                if (!lacking.isEmpty()) {
                    problems.report(
                            Problem.MESSAGE_LANGUAGE,
                            rule.location(),
                            "the message of rule '" + rule.id() + "' has no text in " + String.join(", ", lacking)
                                    + ", which other messages have",
                            "Add it under 'message', each language by its code.");
                }
            });
        }
    }

    private void warnIfEverythingIsAllowed(Map<Cell, Rule> taken) {
        boolean everything = vocabulary.hazards().stream()
                .allMatch(hazard -> vocabulary.excluded().contains(hazard) || isAllowed(hazard, taken));
        if (everything) {
            problems.report(
                    Problem.ALLOWS_EVERYTHING,
                    policy.rules().isEmpty()
                            ? SourceLocation.wholeOf(policy.source().origin())
                            : policy.rules().getLast().location(),
                    "this policy allows every hazard, so that nothing is ever stopped",
                    "Write 'then: flag' where you want to watch, or 'then: block'.");
        }
    }

    static String describe(Hazard hazard) {
        return hazard.code() + " (" + hazard.displayName() + ")";
    }
}
