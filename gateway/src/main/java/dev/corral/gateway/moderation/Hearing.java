package dev.corral.gateway.moderation;

import dev.corral.gateway.audit.AuditEvent.Decided;
import dev.corral.gateway.audit.AuditEvent.NoVerdict;
import dev.corral.gateway.audit.AuditEvent.Said;
import dev.corral.gateway.audit.AuditEvent.Scores;
import dev.corral.gateway.audit.AuditEvent.Verdict;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.pattern.Redaction;
import dev.corral.policies.pattern.Redaction.Replacement;
import dev.corral.policies.pattern.Span;
import dev.corral.policies.policy.AuditDetail;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What there is to decide about. Each turn is taken apart once, however many policies decide and however often a guard was
 * asked about it.
 *
 * @param judged the last turn of each conversation that a guard was asked about
 * @param turns all that was said
 */
public record Hearing(List<Contents> judged, List<Contents> turns) {

    public Hearing {
        judged = List.copyOf(judged);
        turns = List.copyOf(turns);
    }

    /**
     * Of what a guard was asked.
     *
     * @param turns that patterns are looked for in
     */
    public static Hearing of(List<Conversation> judgements, List<Turn> turns) {
        IdentityHashMap<Turn, Contents> known = new IdentityHashMap<>();
        Function<Turn, Contents> contents = turn -> known.computeIfAbsent(turn, Contents::of);
        return new Hearing(
                judgements.stream()
                        .map(judgement -> contents.apply(judgement.turns().getLast()))
                        .toList(),
                turns.stream().map(contents).toList());
    }

    /**
     * What an audit keeps of a decision about it.
     *
     * @param guard id of the guard that was asked
     * @param assessments one for each of {@code judged}
     */
    Decided audited(
            CompiledPolicy policy, Direction direction, Decision decision, String guard, List<Assessment> assessments) {
        AuditDetail detail = policy.audit(decision);
        List<Said> said = Stream.concat(turns.stream(), judged.stream().filter(each -> !turns.contains(each)))
                .distinct()
                .map(turn -> new Said(
                        turn.sources(),
                        kept(policy, detail, turn),
                        IntStream.range(0, judged.size())
                                .filter(i -> judged.get(i) == turn)
                                .mapToObj(i -> verdict(assessments.get(i)))
                                .toList()))
                .toList();
        return new Decided(
                direction,
                decision.outcome(),
                guard,
                decision.ruleIds(),
                decision.findings().stream()
                        .map(finding -> finding.hazard().code())
                        .toList(),
                detail,
                said);
    }

    private static Optional<String> kept(CompiledPolicy policy, AuditDetail detail, Contents turn) {
        return switch (detail) {
            case NONE -> Optional.empty();
            case HASH -> Optional.of(turn.hash().hex());
            case REDACTED -> Optional.of(redacted(policy, turn));
            case TEXT -> Optional.of(turn.joined());
        };
    }

    /** Without what patterns find, be it in a text by itself or across the border of two. */
    private static String redacted(CompiledPolicy policy, Contents turn) {
        List<Replacement> spans = new ArrayList<>(policy.spans(turn.joined()).replacements());
        int start = 0;
        for (Contents.Text text : turn.texts()) {
            int offset = start;
            policy.spans(text.text())
                    .replacements()
                    .forEach(found -> spans.add(new Replacement(
                            new Span(found.span().start() + offset, found.span().end() + offset), found.with())));
            start += text.text().length();
        }
        return Redaction.of(spans).apply(turn.joined());
    }

    private static Verdict verdict(Assessment assessment) {
        return switch (assessment) {
            case Assessment.Scored scored -> {
                Map<String, Probability> hazards = new LinkedHashMap<>();
                scored.hazards().forEach((hazard, p) -> hazards.put(hazard.code(), p));
                yield new Scores(scored.unsafe(), hazards, scored.unnamed(), scored.meaning(), scored.coverage());
            }
            case Assessment.Inconclusive none ->
                new NoVerdict(none.reason().name().toLowerCase(Locale.ROOT), none.coverage());
        };
    }
}
