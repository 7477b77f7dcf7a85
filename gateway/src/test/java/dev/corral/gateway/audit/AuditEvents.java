package dev.corral.gateway.audit;

import dev.corral.gateway.audit.AuditEvent.Decided;
import dev.corral.gateway.audit.AuditEvent.NoVerdict;
import dev.corral.gateway.audit.AuditEvent.Said;
import dev.corral.gateway.audit.AuditEvent.Scores;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Coverage.Extent;
import dev.corral.policies.assessment.Coverage.Unscanned;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.AuditDetail;
import dev.corral.policies.policy.ContentSource;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Direction;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Events for tests. */
public final class AuditEvents {

    public static final Instant TIME = Instant.parse("2026-03-04T05:06:07.008Z");

    private AuditEvents() {}

    /** A prompt that hazard S10 was found in with this probability; its text was kept. */
    public static AuditEvent heated(String exchange, double p, String text) {
        return event(
                exchange,
                "desk",
                List.of(new Decided(
                        Direction.PROMPT,
                        Outcome.FLAG,
                        "starter",
                        List.of("heated"),
                        List.of("S10"),
                        AuditDetail.TEXT,
                        List.of(new Said(
                                Set.of(ContentSource.USER), Optional.of(text), List.of(scores(p, text.length())))))));
    }

    /** One of everything. */
    static AuditEvent full(String exchange) {
        return event(
                exchange,
                "",
                List.of(
                        new Decided(
                                Direction.PROMPT,
                                Outcome.ALLOW,
                                "starter",
                                List.of(),
                                List.of(),
                                AuditDetail.NONE,
                                List.of(new Said(
                                        Set.of(ContentSource.USER, ContentSource.TOOL_RESULT),
                                        Optional.empty(),
                                        List.of(scores(0.25, 3), scores(0.5, 3))))),
                        new Decided(
                                Direction.COMPLETION,
                                Outcome.UNAVAILABLE,
                                "starter",
                                List.of("a", "b"),
                                List.of("S1"),
                                AuditDetail.HASH,
                                List.of(new Said(
                                        Set.of(ContentSource.REASONING),
                                        Optional.of("ab".repeat(32)),
                                        List.of(new NoVerdict(
                                                "timeout",
                                                new Coverage(
                                                        new Extent(0, 9),
                                                        new Extent(0, 1),
                                                        List.of(new Unscanned("image", "at", "no \"eyes\""))))))))));
    }

    /** Nothing was judged. */
    public static AuditEvent refused(String exchange) {
        return event(exchange, "", List.of());
    }

    private static AuditEvent event(String exchange, String route, List<Decided> decided) {
        return new AuditEvent(
                TIME,
                exchange,
                "acme",
                route,
                "llama",
                List.of("de-CH", "en"),
                "desk@1+00000000",
                decided,
                200,
                decided.isEmpty() ? "invalid_json" : "complete");
    }

    private static Scores scores(double p, int length) {
        return new Scores(
                new Probability(p),
                Map.of("S10", new Probability(p)),
                Probability.ZERO,
                Meaning.FIRST_HAZARD,
                Coverage.ofText(length));
    }
}
