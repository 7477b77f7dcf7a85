package dev.corral.gateway.policy;

import dev.corral.gateway.moderation.Hearing;
import dev.corral.gateway.moderation.Judge;
import dev.corral.guardmodels.dataset.RecordedRow;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
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
import java.util.function.BiFunction;

/**
 * What recorded traffic would have met under a policy, and where another one would decide differently. Counts, and the
 * first few lines of each kind: memory does not grow with the traffic.
 */
final class Replay {

    private static final int EXAMPLES = 3;
    private static final int SHOWN = 100;

    private final CompiledPolicy policy;
    private final Optional<CompiledPolicy> other;
    private final BiFunction<CompiledPolicy, RecordedRow, Assessment> guard;
    private final Map<Met, Lines> decisions = new LinkedHashMap<>();
    private final Map<Change, Lines> changes = new LinkedHashMap<>();
    private final Map<String, Integer> unscored = new TreeMap<>();
    private int rows;
    private int withoutText;

    /** What a line met. */
    record Met(Outcome outcome, List<String> rules, List<Hazard> hazards) {

        static Met of(Decision decision) {
            return new Met(
                    decision.outcome(),
                    decision.ruleIds(),
                    decision.findings().stream().map(Finding::hazard).toList());
        }
    }

    /** A line that two policies decide differently. */
    record Change(Met before, Met after) {}

    /** A line, and the beginning of what it says. */
    record Example(int line, String text) {

        static Example of(RecordedRow row) {
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

        private void add(RecordedRow row) {
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
     * @param guard what it finds in lines without scores, asked for what a policy looks for
     */
    Replay(
            CompiledPolicy policy,
            Optional<CompiledPolicy> other,
            BiFunction<CompiledPolicy, RecordedRow, Assessment> guard) {
        this.policy = policy;
        this.other = other;
        this.guard = guard;
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
     * @throws IllegalArgumentException if its scores name a hazard that no policy knows
     */
    List<Decision> add(RecordedRow row) {
        requireKnownHazards(row);
        Decision decision = decide(policy, row);
        List<Decision> both = new ArrayList<>(List.of(decision));
        rows++;
        withoutText += row.hasText() ? 0 : 1;
        row.scores()
                .ifPresent(scores -> policy.asked().stream()
                        .filter(CustomHazard.class::isInstance)
                        .map(Hazard::code)
                        .filter(code -> !scores.hazards().containsKey(code))
                        .forEach(code -> unscored.merge(code, 1, Integer::sum)));
        Met met = Met.of(decision);
        decisions.computeIfAbsent(met, _ -> new Lines()).add(row);
        other.ifPresent(next -> {
            Decision after = decide(next, row);
            both.add(after);
            if (after.outcome() != decision.outcome()) {
                changes.computeIfAbsent(new Change(met, Met.of(after)), _ -> new Lines())
                        .add(row);
            }
        });
        return both;
    }

    private void requireKnownHazards(RecordedRow row) {
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

    private Decision decide(CompiledPolicy by, RecordedRow row) {
        Assessment assessment =
                row.scores().map(scores -> recorded(by, row, scores)).orElseGet(() -> guard.apply(by, row));
        return Judge.weigh(
                by,
                row.facts(),
                Hearing.of(
                        List.of(row.conversation()),
                        List.of(row.conversation().turns().getLast())),
                List.of(assessment));
    }

    private static Assessment recorded(CompiledPolicy by, RecordedRow row, RecordedRow.Scores scores) {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        scores.hazards().forEach((code, p) -> by.hazard(code).ifPresent(hazard -> hazards.put(hazard, p)));
        return new Scored(scores.unsafe(), hazards, Coverage.ofText(row.text().length()));
    }

    /** Lines that were decided about. */
    int rows() {
        return rows;
    }

    /** Lines with scores only, in which no pattern could find anything. */
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
