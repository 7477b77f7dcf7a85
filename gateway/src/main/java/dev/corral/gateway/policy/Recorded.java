package dev.corral.gateway.policy;

import dev.corral.gateway.audit.AuditEvent;
import dev.corral.gateway.audit.AuditEvent.Decided;
import dev.corral.gateway.audit.AuditEvent.NoVerdict;
import dev.corral.gateway.audit.AuditEvent.Said;
import dev.corral.gateway.audit.AuditEvent.Scores;
import dev.corral.gateway.audit.AuditEvent.Verdict;
import dev.corral.gateway.moderation.Contents;
import dev.corral.gateway.moderation.Hearing;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.dataset.RecordedRow;
import dev.corral.guardmodels.guard.Judgements;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Reason;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.AuditDetail;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.ContentHash;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.Facts;
import dev.corral.policies.taxonomy.Hazard;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * Recorded traffic of one line, taken apart as the gateway takes it: all turns of a request are decided about at once, then
 * the answer.
 *
 * @param text what was said last, as far as it is known
 * @param hasText whether all that was said is known
 * @param scored hazards whose scores were recorded, by their codes; empty where the guard is still to be asked
 * @param complete whether the guard looked for no others than those that are scored
 */
record Recorded(
        int line, String text, boolean hasText, Optional<Set<String>> scored, boolean complete, List<Step> steps) {

    Recorded {
        steps = List.copyOf(steps);
    }

    /** What is decided about at once; the guard has an assessment for each thing that is to be judged. */
    record Step(Facts facts, Hearing hearing, Function<CompiledPolicy, List<Assessment>> guard) {}

    /**
     * A line of a file. Scores are those of its last turn; then the guard is asked nothing, and patterns are looked for in
     * all turns.
     *
     * @param guard what it finds in the last turn of a conversation, asked for what a policy looks for
     */
    static Recorded of(RecordedRow row, BiFunction<CompiledPolicy, Conversation, Assessment> guard) {
        List<Turn> turns = row.conversation().turns();
        boolean answered = turns.getLast().role() == Role.ASSISTANT;
        List<Turn> asked = answered ? turns.subList(0, turns.size() - 1) : turns;
        List<Step> steps = new ArrayList<>();
        Function<List<Conversation>, Function<CompiledPolicy, List<Assessment>>> live =
                judgements -> policy -> judgements.stream()
                        .map(judgement -> guard.apply(policy, judgement))
                        .toList();
        if (answered && !asked.isEmpty()) {
            List<Conversation> judgements =
                    row.scores().isPresent() ? List.of() : Judgements.of(new Conversation(asked));
            steps.add(new Step(
                    facing(row.facts(), Direction.PROMPT), Hearing.of(judgements, asked), live.apply(judgements)));
        }
        List<Turn> last = answered ? List.of(turns.getLast()) : turns;
        if (row.scores().isPresent()) {
            RecordedRow.Scores scores = row.scores().get();
            Coverage coverage = Coverage.ofText(row.text().length());
            steps.add(new Step(
                    row.facts(),
                    Hearing.of(List.of(row.conversation()), last),
                    policy -> List.of(new Scored(scores.unsafe(), known(policy, scores.hazards()), coverage))));
        } else {
            List<Conversation> judgements =
                    answered ? Judgements.ofLast(row.conversation()) : Judgements.of(row.conversation());
            steps.add(new Step(row.facts(), Hearing.of(judgements, last), live.apply(judgements)));
        }
        return new Recorded(
                row.line(),
                row.text(),
                row.hasText(),
                row.scores().map(scores -> scores.hazards().keySet()),
                false,
                steps);
    }

    private static Facts facing(Facts facts, Direction direction) {
        return new Facts(direction, facts.route(), facts.tenant(), facts.model(), facts.languages());
    }

    /** An event of an audit: decided from the scores, and from the texts where they were kept. */
    static Recorded of(int line, AuditEvent event) {
        Set<String> scored = new LinkedHashSet<>();
        List<Step> steps = new ArrayList<>();
        boolean hasText = true;
        String text = "";
        for (Decided decided : event.decided()) {
            boolean kept = decided.detail().compareTo(AuditDetail.REDACTED) >= 0;
            hasText &= kept;
            if (kept && !decided.said().isEmpty()) {
                text = decided.said().getLast().kept().orElse("");
            }
            for (Said said : decided.said()) {
                for (Verdict verdict : said.verdicts()) {
                    if (verdict instanceof Scores scores) {
                        scored.addAll(scores.hazards().keySet());
                    }
                }
            }
            steps.add(step(event, decided));
        }
        return new Recorded(line, text, hasText, Optional.of(scored), true, steps);
    }

    private static Step step(AuditEvent event, Decided decided) {
        List<Contents> turns = new ArrayList<>();
        List<Contents> judged = new ArrayList<>();
        List<Verdict> verdicts = new ArrayList<>();
        for (Said said : decided.said()) {
            Contents contents = contents(said, decided.detail());
            turns.add(contents);
            said.verdicts().forEach(verdict -> {
                judged.add(contents);
                verdicts.add(verdict);
            });
        }
        return new Step(
                new Facts(decided.direction(), event.route(), event.tenant(), event.model(), event.languages()),
                new Hearing(judged, turns),
                policy -> verdicts.stream()
                        .map(verdict -> assessment(policy, verdict))
                        .toList());
    }

    private static Contents contents(Said said, AuditDetail detail) {
        String kept = said.kept().orElse("");
        return switch (detail) {
            case NONE -> Contents.unknown(said.sources(), ContentHash.NONE);
            case HASH -> Contents.unknown(said.sources(), ContentHash.known(kept));
            case REDACTED -> Contents.joined(said.sources(), kept, ContentHash.NONE);
            case TEXT -> Contents.joined(said.sources(), kept, ContentHash.of(() -> kept));
        };
    }

    private static Assessment assessment(CompiledPolicy policy, Verdict verdict) {
        return switch (verdict) {
            case Scores scores -> {
                Map<Hazard, Probability> hazards = known(policy, scores.hazards());
                double rest = scores.unnamed().value();
                if (scores.meaning() == Meaning.FIRST_HAZARD) {
                    // what the policy has no name for is unsafe all the same
                    rest = scores.unsafe().value()
                            - hazards.values().stream()
                                    .mapToDouble(Probability::value)
                                    .sum();
                }
                yield new Scored(
                        scores.unsafe(),
                        hazards,
                        new Probability(Math.clamp(rest, 0, 1)),
                        scores.meaning(),
                        scores.coverage());
            }
            case NoVerdict none ->
                new Inconclusive(
                        Reason.valueOf(none.reason().toUpperCase(Locale.ROOT)), "as it was recorded", none.coverage());
        };
    }

    private static Map<Hazard, Probability> known(CompiledPolicy policy, Map<String, Probability> byCode) {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        byCode.forEach((code, p) -> policy.hazard(code).ifPresent(hazard -> hazards.put(hazard, p)));
        return hazards;
    }
}
