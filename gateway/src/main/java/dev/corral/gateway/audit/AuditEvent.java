package dev.corral.gateway.audit;

import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.AuditDetail;
import dev.corral.policies.policy.ContentSource;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Direction;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One exchange, when it is over, however it ended.
 *
 * @param time of its end
 * @param exchange its id, as in the log and in {@code x-corral-exchange}
 * @param tenant empty where it is not known
 * @param route empty where there is none
 * @param model as the client named it; empty where it named none
 * @param languages those that the client accepts, the best first
 * @param policy {@code name@version+hash}
 * @param decided one for each direction in which something was judged
 * @param status of the answer; 0 where none was begun
 * @param ending {@code complete}, {@code client went away}, or the code of the error that the client got
 */
public record AuditEvent(
        Instant time,
        String exchange,
        String tenant,
        String route,
        String model,
        List<String> languages,
        String policy,
        List<Decided> decided,
        int status,
        String ending) {

    public AuditEvent {
        languages = List.copyOf(languages);
        decided = List.copyOf(decided);
    }

    /**
     * The decision of one direction: of several, as of the windows of a stream, the strictest, and of those the latest,
     * which was about the most text.
     *
     * @param guard id of the guard that was asked
     * @param rules that led to it, the weightiest first
     * @param hazards those that are present, by their codes, the most probable first
     * @param detail what may be kept of what was said: the least that one of the rules allows; where no rule decided, what
     *     the policy says
     */
    public record Decided(
            Direction direction,
            Outcome outcome,
            String guard,
            List<String> rules,
            List<String> hazards,
            AuditDetail detail,
            List<Said> said) {

        public Decided {
            rules = List.copyOf(rules);
            hazards = List.copyOf(hazards);
            said = List.copyOf(said);
        }
    }

    /**
     * A turn.
     *
     * @param sources who says it
     * @param kept its text, its text without the spans of patterns, or its SHA-256, as the detail says; empty where nothing
     *     may be kept
     * @param verdicts of the guard; none where it was not asked
     */
    public record Said(Set<ContentSource> sources, Optional<String> kept, List<Verdict> verdicts) {

        public Said {
            sources = Set.copyOf(sources);
            verdicts = List.copyOf(verdicts);
        }
    }

    /** What a guard said of a turn. */
    public sealed interface Verdict {

        /** How much of the turn it saw, and what not. */
        Coverage coverage();
    }

    /**
     * Probabilities.
     *
     * @param unsafe that the turn is unsafe at all
     * @param hazards by their codes
     * @param unnamed that it is unsafe by none of them
     */
    public record Scores(
            Probability unsafe,
            Map<String, Probability> hazards,
            Probability unnamed,
            Meaning meaning,
            Coverage coverage)
            implements Verdict {

        public Scores {
            hazards = Collections.unmodifiableMap(new LinkedHashMap<>(hazards));
        }
    }

    /**
     * No verdict.
     *
     * @param reason {@code timeout}, {@code overloaded} or {@code failed}
     */
    public record NoVerdict(String reason, Coverage coverage) implements Verdict {}
}
