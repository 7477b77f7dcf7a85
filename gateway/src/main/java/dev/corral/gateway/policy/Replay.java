package dev.corral.gateway.policy;

import dev.corral.gateway.moderation.Judge;
import dev.corral.guardmodels.dataset.RecordedRow;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Finding;
import dev.corral.policies.taxonomy.CustomHazard;
import dev.corral.policies.taxonomy.Hazard;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What recorded traffic would have met under a policy, and where another one would decide differently. Counts, and the
 * first few lines of each kind: memory does not grow with the traffic.
 */
final class Replay {

    private static final int EXAMPLES = 3;
    private static final int SHOWN = 100;

    private final CompiledPolicy policy;
    private final Optional<CompiledPolicy> other;
    private final Map<Met, Lines> decisions = new LinkedHashMap<>();
    private final Map<Change, Lines> changes = new LinkedHashMap<>();
    private final Map<String, Integer> unscored = new TreeMap<>();
    private final Map<String, Integer> leftOut = new TreeMap<>();
    private long missing;
    private int rows;
    private int withoutText;

    /** What a line met. */
    record Met(Outcome outcome, List<String> rules, List<Hazard> hazards) {

        /** The strictest of the decisions about one line, and what led to it. */
        static Met of(List<Decision> decisions) {
            Outcome strictest = decisions.stream()
                    .map(Decision::outcome)
                    .max(Comparator.naturalOrder())
                    .orElse(Outcome.ALLOW);
            List<Decision> winning = decisions.stream()
                    .filter(decision -> decision.outcome() == strictest)
                    .toList();
            return new Met(
                    strictest,
                    winning.stream()
                            .flatMap(decision -> decision.ruleIds().stream())
                            .distinct()
                            .toList(),
                    winning.stream()
                            .flatMap(decision -> decision.findings().stream())
                            .map(Finding::hazard)
                            .distinct()
                            .toList());
        }
    }

    /** A line that two policies decide differently. */
    record Change(Met before, Met after) {}

    /** A line, and the beginning of what it says. */
    record Example(int line, String text) {

        static Example of(Recorded row) {
            String text = row.text().strip().replaceAll("[\\s\\p{Cntrl}]+", " ");
            int end = Math.min(text.length(), SHOWN);
            boolean splits = end < text.length() && Character.isHighSurrogate(text.charAt(end - 1));
            return new Example(
                    row.line(), end < text.length() ? text.substring(0, splits ? end - 1 : end) + "…" : text);
        }
    }

    /** How many lines are of a kind, and the first of them. */
    static final class Lines {

        private final List<Example> examples = new ArrayList<>();
        private int count;

        private void add(Recorded row) {
            count++;
            if (examples.size() < EXAMPLES) {
                examples.add(Example.of(row));
            }
        }

        int count() {
            return count;
        }

        List<Example> examples() {
            return List.copyOf(examples);
        }
    }

    /**
     * Nothing was replayed yet.
     *
     * @param other to compare with
     */
    Replay(CompiledPolicy policy, Optional<CompiledPolicy> other) {
        this.policy = policy;
        this.other = other;
    }

    CompiledPolicy policy() {
        return policy;
    }

    Optional<CompiledPolicy> other() {
        return other;
    }

    /**
     * Decides about one line.
     *
     * @return what it met, by the policy and by the other one
     */
    List<Met> add(Recorded row) {
        Met met = decide(policy, row);
        List<Met> both = new ArrayList<>(List.of(met));
        rows++;
        withoutText += row.hasText() ? 0 : 1;
        row.scored()
                .ifPresent(scored -> policy.asked().stream()
                        .filter(hazard -> row.complete() || hazard instanceof CustomHazard)
                        .map(Hazard::code)
                        .filter(code -> !scored.contains(code))
                        .forEach(code -> unscored.merge(code, 1, Integer::sum)));
        decisions.computeIfAbsent(met, _ -> new Lines()).add(row);
        other.ifPresent(next -> {
            Met after = decide(next, row);
            both.add(after);
            if (after.outcome() != met.outcome()) {
                changes.computeIfAbsent(new Change(met, after), _ -> new Lines())
                        .add(row);
            }
        });
        return both;
    }

    /** Leaves a line out, and remembers why. */
    void leaveOut(String reason) {
        leftOut.merge(reason, 1, Integer::sum);
    }

    /** Notes that so many events are missing in an audit. */
    void miss(long events) {
        missing += events;
    }

    /**
     * Refuses scores of hazards that nobody knows, which are likelier mistakes than hazards.
     *
     * @throws IllegalArgumentException if a row has one
     */
    void requireKnownHazards(RecordedRow row) {
        row.scores()
                .ifPresent(scores -> scores.hazards().keySet().stream()
                        .filter(code -> policy.hazard(code).isEmpty()
                                && other.flatMap(next -> next.hazard(code)).isEmpty())
                        .findFirst()
                        .ifPresent(code -> {
                            throw new IllegalArgumentException(
                                    "'scores' name hazard '" + code + "', which the policy does not know");
                        }));
    }

    private static Met decide(CompiledPolicy by, Recorded row) {
        return Met.of(row.steps().stream()
                .map(step -> Judge.weigh(
                        by, step.facts(), step.hearing(), step.guard().apply(by)))
                .toList());
    }

    /** Lines that were decided about. */
    int rows() {
        return rows;
    }

    /** Lines that were left out, by the reason. */
    Map<String, Integer> leftOut() {
        return leftOut;
    }

    /** Events that an audit says it lacks. */
    long missing() {
        return missing;
    }

    /** Lines whose text is not known, in which no pattern could find anything. */
    int withoutText() {
        return withoutText;
    }

    /** Lines whose scores lack a hazard of the policy's own, by its code: it counts as absent there. */
    Map<String, Integer> unscored() {
        return unscored;
    }

    /** The strictest first, then the most frequent. */
    List<Map.Entry<Met, Lines>> decisions() {
        return decisions.entrySet().stream()
                .sorted(Comparator.comparing((Map.Entry<Met, Lines> entry) -> entry.getKey().outcome)
                        .thenComparingInt(entry -> entry.getValue().count)
                        .reversed())
                .toList();
    }

    /** What the other policy would change, the most frequent first. */
    List<Map.Entry<Change, Lines>> changes() {
        return changes.entrySet().stream()
                .sorted(Comparator.comparingInt((Map.Entry<Change, Lines> entry) -> entry.getValue().count)
                        .reversed())
                .toList();
    }
}
