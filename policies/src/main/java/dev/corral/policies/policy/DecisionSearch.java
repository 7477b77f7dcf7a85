package dev.corral.policies.policy;

import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.expression.Condition;
import dev.corral.policies.policy.Difference.Effect;
import dev.corral.policies.policy.Difference.OfDecision;
import dev.corral.policies.policy.Policy.ListReference;
import dev.corral.policies.policy.Policy.Rule;
import dev.corral.policies.policy.Policy.When;
import dev.corral.policies.taxonomy.Hazard;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Finds inputs about which two policies decide differently. */
final class DecisionSearch {

    /*
     * A search, not a comparison of texts. Decisions change at few places: at thresholds, at the numbers that rules and
     * conditions name, and with the names that they name. So it is enough to try, for every hazard, a number on each side
     * of each such place, every direction and source, and each name that one of the policies knows, beside one that none
     * does. Names are tried in every combination, or where these are too many, as single rules name them together.
     *
     * Sums: hazards that each stay below their thresholds count together. They are tried in every order, each as probable
     * as it may be, until the sum is at a place where a decision may change.
     *
     * What a search cannot come upon is which texts a condition holds for that looks into them; such conditions are
     * compared as they are written (Settings).
     */

    private static final String UNKNOWN = "";
    private static final double STEP = 0.001;
    private static final double ROUNDING = 1e-9;
    private static final int MOST_COMBINATIONS = 64;

    private final CompiledPolicy before;
    private final CompiledPolicy after;
    private final List<CompiledPolicy> both;
    private final List<Case> cases;
    private final Map<Direction, List<Speaker>> speakers = new EnumMap<>(Direction.class);
    private final List<Double> unsafes;

    DecisionSearch(CompiledPolicy before, CompiledPolicy after) {
        this.before = before;
        this.after = after;
        this.both = List.of(before, after);
        this.cases = both.stream().flatMap(DecisionSearch::cases).toList();
        for (Direction direction : Direction.values()) {
            speakers.put(direction, speakers(direction));
        }
        this.unsafes = around(cases.stream()
                .flatMap(each -> each.condition.stream())
                .flatMap(condition -> condition.unsafeSteps().stream())
                .toList());
    }

    /** What a rule is for, in the words of its policy. */
    private record Case(When when, Optional<Condition> condition, Policy policy) {

        /** Of a list. */
        Set<String> values(String list) {
            return new LinkedHashSet<>(policy.lists().getOrDefault(list, List.of()));
        }
    }

    /** Who says something, by a call of which tool, and which content it is. */
    private record Speaker(ContentSource source, String tool, String hash) {}

    private static Stream<Case> cases(CompiledPolicy policy) {
        List<Rule> rules = policy.policy().rules();
        return IntStream.range(0, rules.size())
                .mapToObj(
                        i -> new Case(rules.get(i).when(), policy.rules().get(i).condition(), policy.policy()));
    }

    List<Difference> differences() {
        Set<Hazard> hazards = new LinkedHashSet<>(before.hazards());
        hazards.addAll(after.hazards());
        List<Facts> facts = facts();
        Map<List<Object>, OfDecision> found = new LinkedHashMap<>();
        for (Hazard hazard : hazards) {
            for (OfDecision difference : ofOne(hazard, facts)) {
                found.merge(likeness(difference), difference, DecisionSearch::alike);
            }
        }
        List<Difference> differences = new ArrayList<>(found.values());
        for (Direction direction : Direction.values()) {
            ofSum(List.copyOf(hazards), new Facts(direction), found.values()).ifPresent(differences::add);
        }
        return differences;
    }

    /** All of a difference but its hazard. */
    private static List<Object> likeness(OfDecision difference) {
        return List.of(
                List.copyOf(difference.hazards().values()),
                difference.upTo(),
                difference.unsafe(),
                difference.facts(),
                difference.source(),
                difference.tool(),
                difference.hash(),
                difference.before(),
                difference.after());
    }

    private static OfDecision alike(OfDecision first, OfDecision other) {
        return new OfDecision(
                first.hazards(),
                first.upTo(),
                first.unsafe(),
                Stream.concat(first.alike().stream(), other.hazards().keySet().stream())
                        .toList(),
                first.facts(),
                first.source(),
                first.tool(),
                first.hash(),
                first.before(),
                first.after());
    }

    /** What one hazard shows by itself; with names only where they show something else. */
    private List<OfDecision> ofOne(Hazard hazard, List<Facts> facts) {
        List<OfDecision> found = new ArrayList<>();
        Set<List<Object>> seen = new HashSet<>();
        for (Facts each : facts) {
            for (Speaker speaker : speakers.getOrDefault(each.direction(), List.of())) {
                for (OfDecision difference : ofOne(hazard, each, speaker)) {
                    if (seen.add(List.of(
                            each.direction(),
                            difference.hazards(),
                            difference.upTo(),
                            difference.before().weight(),
                            difference.after().weight()))) {
                        found.add(difference);
                    }
                }
            }
        }
        return found;
    }

    private List<OfDecision> ofOne(Hazard hazard, Facts facts, Speaker speaker) {
        boolean pattern =
                both.stream().anyMatch(policy -> policy.patternHazards().contains(hazard));
        List<OfDecision> found = new ArrayList<>();
        for (double p : pattern ? List.of(1.0) : grid(hazard)) {
            Optional<OfDecision> difference = compare(Map.of(hazard, p), p, facts, speaker);
            difference.ifPresent(next -> extend(found, next, p));
            for (double unsafe : unsafes) {
                if (unsafe > p) {
                    compare(Map.of(hazard, p), unsafe, facts, speaker)
                            .filter(other -> difference.isEmpty() || !isSame(difference.get(), other))
                            .ifPresent(found::add);
                }
            }
        }
        return found;
    }

    /** Adds a difference, or lets the last one reach up to it where both are the same. */
    private static void extend(List<OfDecision> found, OfDecision next, double p) {
        if (found.isEmpty() || !isSame(found.getLast(), next)) {
            found.add(next);
            return;
        }
        OfDecision last = found.removeLast();
        found.add(new OfDecision(
                last.hazards(),
                p,
                last.unsafe(),
                List.of(),
                last.facts(),
                last.source(),
                last.tool(),
                last.hash(),
                last.before(),
                last.after()));
    }

    private static boolean isSame(OfDecision one, OfDecision other) {
        return one.before().equals(other.before()) && one.after().equals(other.after());
    }

    /** A sum that is decided differently, unless one of its hazards is by itself, in the same way. */
    private Optional<OfDecision> ofSum(List<Hazard> hazards, Facts facts, Collection<OfDecision> found) {
        Speaker speaker = new Speaker(
                facts.direction() == Direction.PROMPT ? ContentSource.USER : ContentSource.ASSISTANT, UNKNOWN, UNKNOWN);
        List<Hazard> graded = hazards.stream()
                .filter(hazard -> both.stream()
                        .noneMatch(policy -> policy.patternHazards().contains(hazard)))
                .toList();
        List<Double> places = around(
                both.stream().map(policy -> policy.defaultThreshold().value()).toList());
        return graded.stream()
                .flatMap(first -> graded.stream()
                        .map(second -> Stream.concat(Stream.of(first, second), graded.stream())
                                .distinct()
                                .toList()))
                .flatMap(order -> places.stream()
                        .flatMap(place -> sum(order, place).stream()
                                .flatMap(sum -> compare(sum, place, facts, speaker).stream())))
                .filter(sum -> found.stream().noneMatch(single -> explains(single, sum)))
                .findFirst();
    }

    private static boolean explains(OfDecision single, OfDecision sum) {
        return single.facts().direction() == sum.facts().direction()
                && single.before().weight().equals(sum.before().weight())
                && single.after().weight().equals(sum.after().weight())
                && Stream.concat(single.hazards().keySet().stream(), single.alike().stream())
                        .anyMatch(sum.hazards()::containsKey);
    }

    /** Each hazard as probable as it may be without being present, until they add up; empty where they never do. */
    private Optional<Map<Hazard, Double>> sum(List<Hazard> order, double place) {
        Map<Hazard, Double> sum = new LinkedHashMap<>();
        double rest = place;
        for (Hazard hazard : order) {
            double most = both.stream()
                            .mapToDouble(policy -> policy.threshold(hazard).value())
                            .min()
                            .orElseThrow()
                    - STEP;
            double part = Math.min(rest, most);
            if (part > ROUNDING) {
                sum.put(hazard, part);
                rest -= part;
            }
        }
        return rest <= ROUNDING ? Optional.of(sum) : Optional.empty();
    }

    private Optional<OfDecision> compare(
            Map<Hazard, Double> probabilities, double unsafe, Facts facts, Speaker speaker) {
        Effect one = effect(before, probabilities, unsafe, facts, speaker);
        Effect other = effect(after, probabilities, unsafe, facts, speaker);
        return one.weight().equals(other.weight())
                ? Optional.empty()
                : Optional.of(new OfDecision(
                        probabilities,
                        probabilities.values().iterator().next(),
                        unsafe,
                        List.of(),
                        facts,
                        speaker.source,
                        speaker.tool,
                        speaker.hash,
                        one,
                        other));
    }

    private static Effect effect(
            CompiledPolicy policy, Map<Hazard, Double> probabilities, double unsafe, Facts facts, Speaker speaker) {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        probabilities.forEach((hazard, p) -> {
            if (policy.hazards().contains(hazard)) {
                hazards.put(hazard, new Probability(p));
            }
        });
        Decision decision = policy.weigh(
                List.of(new Evidence(
                        new Scored(
                                new Probability(Math.min(1, unsafe)),
                                hazards,
                                Probability.ZERO,
                                Meaning.FIRST_HAZARD,
                                Coverage.NOTHING),
                        Set.of(speaker.source),
                        speaker.tool.isEmpty() ? Set.of() : Set.of(speaker.tool),
                        ContentHash.known(speaker.hash))),
                facts);
        List<Rule> rules = policy.policy().rules().stream()
                .filter(rule -> decision.ruleIds().contains(rule.id()))
                .toList();
        return new Effect(
                decision.outcome(),
                decision.ruleIds(),
                rules.stream().flatMap(rule -> rule.message().stream()).findFirst(),
                rules.stream().flatMap(rule -> rule.audit().stream()).min(Comparator.naturalOrder()));
    }

    private List<Double> grid(Hazard hazard) {
        List<Double> places = new ArrayList<>();
        for (CompiledPolicy policy : both) {
            places.addAll(policy.steps());
            places.add(policy.threshold(hazard).value());
        }
        places.add(1.0);
        return around(places);
    }

    /** Each number, and one on each side of it. */
    private static List<Double> around(Collection<Double> places) {
        return List.copyOf(places.stream()
                .flatMap(place -> Stream.of(Math.max(0, place - STEP), Math.min(1, place), Math.min(1, place + STEP)))
                .collect(Collectors.toCollection(TreeSet::new)));
    }

    /** Every combination of names; where they are too many, each by itself, and those that a rule names together. */
    private List<Facts> facts() {
        List<Set<String>> names = names(cases);
        Set<List<String>> tuples = new LinkedHashSet<>();
        if (combinations(names) <= MOST_COMBINATIONS) {
            tuples.addAll(product(names));
        } else {
            tuples.addAll(eachByItself(names));
            for (Case each : cases) {
                List<Set<String>> together = names(List.of(each));
                if (combinations(together) <= MOST_COMBINATIONS) {
                    tuples.addAll(product(together));
                }
            }
        }
        return Arrays.stream(Direction.values())
                .flatMap(direction -> tuples.stream().map(tuple -> facts(direction, tuple)))
                .toList();
    }

    private static Facts facts(Direction direction, List<String> names) {
        String language = names.getLast();
        return new Facts(
                direction,
                names.get(0),
                names.get(1),
                names.get(2),
                language.isEmpty() ? List.of() : List.of(language));
    }

    /** Routes, tenants, models and languages. */
    private static List<Set<String>> names(List<Case> cases) {
        return List.of(
                names(cases, "route", When::routes, _ -> List.of()),
                names(cases, "tenant", When::tenants, When::tenantLists),
                names(cases, "model", When::models, _ -> List.of()),
                names(cases, "language", When::languages, _ -> List.of()));
    }

    private static long combinations(List<Set<String>> names) {
        return names.stream().mapToLong(Set::size).reduce(1, (a, b) -> a * b);
    }

    private static List<List<String>> product(List<Set<String>> names) {
        List<List<String>> tuples = List.of(List.of());
        for (Set<String> more : names) {
            tuples = tuples.stream()
                    .flatMap(tuple -> more.stream()
                            .map(name -> Stream.concat(tuple.stream(), Stream.of(name))
                                    .toList()))
                    .toList();
        }
        return tuples;
    }

    private static List<List<String>> eachByItself(List<Set<String>> names) {
        List<List<String>> tuples = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            for (String name : names.get(i)) {
                List<String> tuple = new ArrayList<>(Collections.nCopies(names.size(), UNKNOWN));
                tuple.set(i, name);
                tuples.add(tuple);
            }
        }
        return tuples;
    }

    /** Names of one kind that rules tell apart, first the one that none knows. */
    private static Set<String> names(
            List<Case> cases,
            String variable,
            Function<When, List<String>> named,
            Function<When, List<ListReference>> listed) {
        Set<String> names = new LinkedHashSet<>(Set.of(UNKNOWN));
        Set<Set<String>> lists = new LinkedHashSet<>();
        for (Case each : cases) {
            named.apply(each.when).forEach(glob -> names.add(glob.replace("*", "x")));
            listed.apply(each.when).forEach(list -> lists.add(each.values(list.name())));
            each.condition.filter(condition -> condition.uses(variable)).ifPresent(condition -> {
                names.addAll(condition.texts());
                condition.listNames().forEach(list -> lists.add(each.values(list)));
            });
        }
        for (Set<String> list : lists) {
            for (Set<String> other : lists) {
                list.stream().filter(other::contains).findFirst().ifPresent(names::add);
                list.stream().filter(name -> !other.contains(name)).findFirst().ifPresent(names::add);
            }
        }
        return names;
    }

    /** Who may say something in this direction, first without the names that rules tell apart. */
    private List<Speaker> speakers(Direction direction) {
        Set<String> tools = names(cases, "tool", When::tools, _ -> List.of());
        Set<String> hashes = names(cases, "content_hash", _ -> List.of(), When::hashLists);
        List<Speaker> speakers = new ArrayList<>();
        for (ContentSource source : sources(direction, tools.size() > 1)) {
            for (String tool : source.isOfTool() ? tools : Set.of(UNKNOWN)) {
                hashes.forEach(hash -> speakers.add(new Speaker(source, tool, hash)));
            }
        }
        speakers.sort(Comparator.comparing(speaker -> !speaker.tool.isEmpty() || !speaker.hash.isEmpty()));
        return speakers;
    }

    /** Of those whom no rule tells apart, the first one. */
    private Collection<ContentSource> sources(Direction direction, boolean toolsCount) {
        Map<List<Object>, ContentSource> told = new LinkedHashMap<>();
        boolean each = cases.stream()
                .anyMatch(rule -> rule.condition
                        .filter(condition -> condition.uses("source"))
                        .isPresent());
        for (ContentSource source : speaking(direction)) {
            told.putIfAbsent(
                    List.of(
                            each ? source : "",
                            toolsCount && source.isOfTool(),
                            cases.stream()
                                    .map(rule -> rule.when.sources().contains(source))
                                    .toList()),
                    source);
        }
        return told.values();
    }

    private static Set<ContentSource> speaking(Direction direction) {
        return direction == Direction.PROMPT
                ? EnumSet.allOf(ContentSource.class)
                : EnumSet.of(ContentSource.ASSISTANT, ContentSource.TOOL_CALL, ContentSource.REASONING);
    }
}
