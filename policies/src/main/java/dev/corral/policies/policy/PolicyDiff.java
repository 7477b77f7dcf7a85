package dev.corral.policies.policy;

import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Policy.Rule;
import dev.corral.policies.policy.Policy.When;
import dev.corral.policies.taxonomy.Hazard;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;

/** Finds inputs that two policies decide differently. */
public final class PolicyDiff {

    /*
     * A search, not a comparison of texts. Decisions change at few places: at thresholds, at the numbers that rules and
     * conditions name, and with the names that they name. So it is enough to try, for every hazard, a number on each side
     * of each such place, every direction and source, and each name that one of the policies knows, beside one that none
     * does. Two hazards at once are tried as well, because their probabilities add up.
     */

    private static final String UNKNOWN = "";
    private static final double STEP = 0.05;
    private static final int MOST_COMBINATIONS = 64;

    private final CompiledPolicy before;
    private final CompiledPolicy after;
    private final List<Difference> differences = new ArrayList<>();

    private PolicyDiff(CompiledPolicy before, CompiledPolicy after) {
        this.before = before;
        this.after = after;
    }

    /**
     * One way in which decisions differ.
     *
     * @param hazards the least probabilities that show it
     * @param upTo the greatest probability of the first hazard with the same difference
     * @param tool that is called; empty where none is, or where it does not matter
     * @param facts about the exchange; names that do not matter are empty
     */
    public record Difference(
            Map<Hazard, Double> hazards,
            double upTo,
            Facts facts,
            ContentSource source,
            String tool,
            Outcome before,
            Outcome after,
            List<String> rulesBefore,
            List<String> rulesAfter) {}

    /** Who says something, and by a call of which tool. */
    private record Speaker(ContentSource source, String tool) {}

    /** All differences that the search finds, each by its smallest example; none for the same policy. */
    public static List<Difference> between(CompiledPolicy before, CompiledPolicy after) {
        PolicyDiff diff = new PolicyDiff(before, after);
        diff.search();
        return List.copyOf(diff.differences);
    }

    private void search() {
        Set<Hazard> hazards = new LinkedHashSet<>(before.hazards());
        hazards.addAll(after.hazards());
        for (Hazard hazard : hazards) {
            Set<List<Object>> plain = new LinkedHashSet<>();
            for (Facts facts : facts()) {
                for (Speaker speaker : speakers(facts.direction())) {
                    List<Difference> found = single(hazard, facts, speaker);
                    boolean isPlain = speaker.tool().isEmpty()
                            && facts.route().isEmpty()
                            && facts.tenant().isEmpty()
                            && facts.model().isEmpty()
                            && facts.languages().isEmpty();
                    for (Difference difference : found) {
                        List<Object> key = List.of(
                                difference.hazards,
                                difference.upTo,
                                difference.before,
                                difference.after,
                                facts.direction());
                        if (isPlain ? plain.add(key) : !plain.contains(key) && plain.add(key)) {
                            differences.add(difference);
                        }
                    }
                }
            }
        }
        if (differences.isEmpty()) {
            pairs(List.copyOf(hazards));
        }
    }

    private List<Difference> single(Hazard hazard, Facts facts, Speaker speaker) {
        List<Difference> found = new ArrayList<>();
        boolean pattern = before.patternHazards().contains(hazard)
                || after.patternHazards().contains(hazard);
        for (double p : pattern ? List.of(1.0) : grid(hazard)) {
            Optional<Difference> difference = compare(Map.of(hazard, p), facts, speaker);
            if (difference.isEmpty()) {
                continue;
            }
            Difference next = difference.get();
            Difference last = found.isEmpty() ? null : found.getLast();
            if (last != null
                    && last.before == next.before
                    && last.after == next.after
                    && last.rulesBefore.equals(next.rulesBefore)
                    && last.rulesAfter.equals(next.rulesAfter)) {
                found.removeLast();
                found.add(new Difference(
                        last.hazards,
                        p,
                        facts,
                        speaker.source(),
                        speaker.tool(),
                        last.before,
                        last.after,
                        last.rulesBefore,
                        last.rulesAfter));
            } else {
                found.add(next);
            }
        }
        return found;
    }

    private void pairs(List<Hazard> hazards) {
        for (int i = 0; i < hazards.size(); i++) {
            for (int j = i + 1; j < hazards.size(); j++) {
                for (Direction direction : Direction.values()) {
                    pair(hazards.get(i), hazards.get(j), new Facts(direction));
                }
            }
        }
    }

    private void pair(Hazard a, Hazard b, Facts facts) {
        Speaker speaker =
                new Speaker(facts.direction() == Direction.PROMPT ? ContentSource.USER : ContentSource.ASSISTANT, "");
        for (double p = STEP; p < 1; p += STEP) {
            for (double q = STEP; p + q <= 1; q += STEP) {
                Map<Hazard, Double> both = new LinkedHashMap<>();
                both.put(a, p);
                both.put(b, q);
                Optional<Difference> difference = compare(both, facts, speaker);
                if (difference.isPresent()) {
                    differences.add(difference.get());
                    return;
                }
            }
        }
    }

    private Optional<Difference> compare(Map<Hazard, Double> probabilities, Facts facts, Speaker speaker) {
        Decision one = decide(before, probabilities, facts, speaker);
        Decision other = decide(after, probabilities, facts, speaker);
        return one.outcome() == other.outcome()
                ? Optional.empty()
                : Optional.of(new Difference(
                        probabilities,
                        probabilities.values().iterator().next(),
                        facts,
                        speaker.source(),
                        speaker.tool(),
                        one.outcome(),
                        other.outcome(),
                        one.ruleIds(),
                        other.ruleIds()));
    }

    private static Decision decide(
            CompiledPolicy policy, Map<Hazard, Double> probabilities, Facts facts, Speaker speaker) {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        probabilities.forEach((hazard, p) -> {
            if (policy.hazards().contains(hazard)) {
                hazards.put(hazard, new Probability(p));
            }
        });
        double unsafe =
                hazards.values().stream().mapToDouble(Probability::value).sum();
        return policy.weigh(
                List.of(new Evidence(
                        new Scored(new Probability(Math.min(1, unsafe)), hazards, Coverage.NOTHING),
                        Set.of(speaker.source()),
                        speaker.tool().isEmpty() ? Set.of() : Set.of(speaker.tool()),
                        ContentHash.NONE)),
                facts);
    }

    private List<Double> grid(Hazard hazard) {
        TreeSet<Double> places = new TreeSet<>(before.steps());
        places.addAll(after.steps());
        places.add(before.threshold(hazard).value());
        places.add(after.threshold(hazard).value());
        TreeSet<Double> grid = new TreeSet<>(Set.of(1.0));
        for (double place : places) {
            grid.add(Math.max(0, place - 0.001));
            grid.add(Math.min(1, place));
            grid.add(Math.min(1, place + 0.001));
        }
        return List.copyOf(grid);
    }

    /** Every combination of names, or where they are too many, each name by itself. */
    private List<Facts> facts() {
        Set<String> routes =
                names(When::routes, compiled -> compiled.policy().appliesTo().routes());
        Set<String> tenants = names(When::tenants, PolicyDiff::tenants);
        Set<String> models = names(When::models, _ -> List.of());
        Set<String> languages = names(When::languages, _ -> List.of());
        boolean combined =
                (long) routes.size() * tenants.size() * models.size() * languages.size() <= MOST_COMBINATIONS;
        List<Facts> facts = new ArrayList<>();
        for (Direction direction : Direction.values()) {
            for (String route : routes) {
                for (String tenant : tenants) {
                    for (String model : models) {
                        for (String language : languages) {
                            long named = Stream.of(route, tenant, model, language)
                                    .filter(name -> !name.isEmpty())
                                    .count();
                            if (combined || named <= 1) {
                                facts.add(new Facts(
                                        direction,
                                        route,
                                        tenant,
                                        model,
                                        language.isEmpty() ? List.of() : List.of(language)));
                            }
                        }
                    }
                }
            }
        }
        return facts;
    }

    private static List<String> tenants(CompiledPolicy compiled) {
        return compiled.policy().rules().stream()
                .flatMap(rule -> rule.when().tenantLists().stream())
                .flatMap(list -> compiled.policy().lists().getOrDefault(list.name(), List.of()).stream()
                        .limit(1))
                .toList();
    }

    /** Names that the rules of one of both name, first the one that none does. */
    private Set<String> names(Function<When, List<String>> named, Function<CompiledPolicy, List<String>> more) {
        Set<String> names = new LinkedHashSet<>(Set.of(UNKNOWN));
        for (CompiledPolicy policy : List.of(before, after)) {
            Stream.concat(
                            policy.policy().rules().stream()
                                    .map(Rule::when)
                                    .flatMap(when -> named.apply(when).stream()),
                            more.apply(policy).stream())
                    .map(glob -> glob.replace("*", "x"))
                    .forEach(names::add);
        }
        return names;
    }

    private List<Speaker> speakers(Direction direction) {
        return sources(direction).stream()
                .flatMap(source -> (source.isOfTool() ? names(When::tools, _ -> List.of()) : Set.of(UNKNOWN))
                        .stream().map(tool -> new Speaker(source, tool)))
                .toList();
    }

    private static Set<ContentSource> sources(Direction direction) {
        return direction == Direction.PROMPT
                ? EnumSet.allOf(ContentSource.class)
                : EnumSet.of(ContentSource.ASSISTANT, ContentSource.TOOL_CALL, ContentSource.REASONING);
    }
}
