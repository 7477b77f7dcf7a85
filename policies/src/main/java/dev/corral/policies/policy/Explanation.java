package dev.corral.policies.policy;

import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.taxonomy.Hazard;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Why a policy decides as it does about one text.
 *
 * @param decision which
 * @param changes what would change it
 */
public record Explanation(Decision decision, List<Change> changes) {

    public Explanation {
        changes = List.copyOf(changes);
    }

    /**
     * The nearest probability of one hazard with which the decision would be another.
     *
     * @param from the probability that there is
     * @param to the one that there would have to be
     */
    public record Change(Hazard hazard, double from, double to, Outcome outcome, List<String> rules) {}

    /** Explains a decision about one text. */
    public static Explanation of(CompiledPolicy policy, String text, Scored scored, ContentSource source, Facts facts) {
        Decision decision = decide(policy, text, scored, source, facts);
        List<Change> changes = new ArrayList<>();
        for (Map.Entry<Hazard, Probability> entry : scored.hazards().entrySet()) {
            double from = entry.getValue().value();
            double others = scored.hazards().values().stream()
                            .mapToDouble(Probability::value)
                            .sum()
                    - from;
            TreeSet<Double> places = new TreeSet<>(policy.steps());
            places.add(policy.threshold(entry.getKey()).value());
            // where all hazards together reach the default threshold
            places.add(Math.round(Math.max(0, policy.defaultThreshold().value() - others) * 1e9) / 1e9);
            List<Double> nearest = places.stream()
                    .flatMap(place -> Stream.of(place, place - 0.001))
                    .filter(p -> p >= 0 && p + others <= 1)
                    .sorted(Comparator.comparingDouble(p -> Math.abs(p - from)))
                    .toList();
            for (double to : nearest) {
                Decision other = decide(policy, text, with(scored, entry.getKey(), to), source, facts);
                if (other.outcome() != decision.outcome()) {
                    changes.add(new Change(entry.getKey(), from, to, other.outcome(), other.ruleIds()));
                    break;
                }
            }
        }
        changes.sort(Comparator.comparingDouble(change -> Math.abs(change.to - change.from)));
        return new Explanation(decision, changes);
    }

    private static Decision decide(
            CompiledPolicy policy, String text, Scored scored, ContentSource source, Facts facts) {
        ContentHash hash = ContentHash.of(() -> text);
        List<Evidence> evidence = new ArrayList<>(List.of(new Evidence(scored, Set.of(source), hash)));
        policy.match(text).forEach(found -> evidence.add(new Evidence(found, Set.of(source), hash)));
        return policy.weigh(evidence, facts);
    }

    private static Scored with(Scored scored, Hazard hazard, double probability) {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>(scored.hazards());
        hazards.put(hazard, new Probability(probability));
        double sum = hazards.values().stream().mapToDouble(Probability::value).sum();
        return new Scored(new Probability(Math.min(1, sum)), hazards, scored.coverage());
    }
}
