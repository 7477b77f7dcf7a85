package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.CompiledPolicy.CompiledRule;
import dev.corral.policies.policy.Policy.HazardReference;
import dev.corral.policies.policy.Policy.HazardSelector;
import dev.corral.policies.policy.Policy.Rule;
import dev.corral.policies.policy.Policy.Source;
import dev.corral.policies.policy.Policy.Threshold;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Checks policies against what a guard can see, and makes them ready for decisions. */
public final class PolicyCompiler {

    private final Policy policy;
    private final Taxonomy taxonomy;
    private final Problems problems;

    private PolicyCompiler(Policy policy, Taxonomy taxonomy, Problems problems) {
        this.policy = policy;
        this.taxonomy = taxonomy;
        this.problems = problems;
    }

    /**
     * Makes a policy ready for decisions on what one guard finds.
     *
     * @param taxonomy what the guard tells apart
     * @param recommendedThreshold of the guard; used where the policy names no default threshold
     * @throws PolicyException if a hazard is unknown to the guard, or a rule can never be reached
     */
    public static CompiledPolicy compile(Policy policy, Taxonomy taxonomy, Probability recommendedThreshold) {
        return compile(
                Optional.of(policy),
                policy.source(),
                taxonomy,
                recommendedThreshold,
                new Problems(policy.source().origin()));
    }

    /** Compiles a draft; its parser's problems and the compiler's are thrown together. */
    static CompiledPolicy compile(
            Optional<Policy> draft,
            Source source,
            Taxonomy taxonomy,
            Probability recommendedThreshold,
            Problems problems) {
        Optional<CompiledPolicy> compiled =
                draft.map(policy -> new PolicyCompiler(policy, taxonomy, problems).compile(recommendedThreshold));
        if (problems.hasErrors()) {
            throw new PolicyException(problems.issues(), source);
        }
        return compiled.orElseThrow();
    }

    private CompiledPolicy compile(Probability recommendedThreshold) {
        Map<Hazard, Probability> thresholds = new LinkedHashMap<>();
        for (Threshold threshold : policy.thresholds()) {
            hazard(threshold.hazard()).ifPresent(hazard -> thresholds.put(hazard, threshold.value()));
        }
        List<CompiledRule> rules = new ArrayList<>();
        Map<Pair, Rule> taken = new HashMap<>();
        for (Rule rule : policy.rules()) {
            CompiledRule compiled = compile(rule);
            rules.add(compiled);
            reach(rule, compiled, taken);
        }
        if (!problems.hasErrors()) {
            for (Threshold threshold : policy.thresholds()) {
                hazard(threshold.hazard()).ifPresent(hazard -> warnIfAlwaysAllowed(threshold.hazard(), hazard, taken));
            }
        }
        return new CompiledPolicy(
                policy, rules, policy.defaultThreshold().orElse(recommendedThreshold), thresholds, problems.issues());
    }

    private CompiledRule compile(Rule rule) {
        Optional<List<Hazard>> hazards = switch (rule.hazards()) {
            case HazardSelector.Any any -> Optional.empty();
            case HazardSelector.Named named ->
                Optional.of(named.hazards().stream()
                        .flatMap(reference -> hazard(reference).stream())
                        .toList());
        };
        return new CompiledRule(Optional.of(rule.id()), hazards, rule.directions(), rule.action(), rule.message());
    }

    private Optional<Hazard> hazard(HazardReference reference) {
        Optional<Hazard> hazard = taxonomy.byCode(reference.code());
        if (hazard.isEmpty()) {
            String seen = taxonomy.hazards().stream().map(Hazard::code).collect(Collectors.joining(", "));
            Optional<StandardHazard> unseen = StandardHazard.byCode(reference.code());
            if (unseen.isPresent()) {
                problems.report(
                        Problem.HAZARD_NOT_SEEN,
                        reference.location(),
                        "the guard does not look for hazard " + describe(unseen.get()) + "; it sees " + seen,
                        "Remove it, or use a guard that looks for it.");
            } else {
                problems.report(
                        Problem.UNKNOWN_HAZARD,
                        reference.location(),
                        "there is no hazard " + Problems.quote(reference.code()),
                        meant(reference.code())
                                .map(h -> "Did you mean " + describe(h) + "?")
                                .orElse("Write one of " + seen + "."));
            }
        }
        return hazard;
    }

    private Optional<Hazard> meant(String word) {
        Map<String, Hazard> words = new LinkedHashMap<>();
        for (Hazard hazard : taxonomy.hazards()) {
            words.put(hazard.code(), hazard);
            words.put(hazard.displayName(), hazard);
        }
        return Spelling.nearest(word, words.keySet()).map(words::get);
    }

    private record Pair(Hazard hazard, Direction direction) {}

    private void reach(Rule rule, CompiledRule compiled, Map<Pair, Rule> taken) {
        List<Pair> pairs = compiled.hazards().orElse(taxonomy.hazards()).stream()
                .flatMap(hazard -> rule.directions().stream().map(direction -> new Pair(hazard, direction)))
                .toList();
        if (!pairs.isEmpty() && taken.keySet().containsAll(pairs)) {
            String takers = pairs.stream()
                    .map(taken::get)
                    .map(taker ->
                            "'" + taker.id() + "' in line " + taker.location().line())
                    .distinct()
                    .collect(Collectors.joining(" and "));
            problems.report(
                    Problem.UNREACHABLE_RULE,
                    rule.location(),
                    "rule '" + rule.id() + "' can never be reached: its hazards go to " + takers,
                    "Move it up, narrow the earlier rule, or remove it. Each hazard takes its first matching rule.");
        }
        pairs.forEach(pair -> taken.putIfAbsent(pair, rule));
    }

    private void warnIfAlwaysAllowed(HazardReference reference, Hazard hazard, Map<Pair, Rule> taken) {
        boolean allowed = Arrays.stream(Direction.values())
                .map(direction -> Optional.ofNullable(taken.get(new Pair(hazard, direction))))
                .allMatch(rule -> rule.map(Rule::action).equals(Optional.of(Action.ALLOW)));
        if (allowed) {
            problems.report(
                    Problem.THRESHOLD_WITHOUT_EFFECT,
                    reference.location(),
                    "the threshold of " + describe(hazard) + " blocks nothing, because that hazard is always allowed",
                    "Remove the threshold, or change the rule that allows the hazard.");
        }
    }

    private static String describe(Hazard hazard) {
        return hazard.code() + " (" + hazard.displayName() + ")";
    }
}
