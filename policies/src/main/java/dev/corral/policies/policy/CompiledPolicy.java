package dev.corral.policies.policy;

import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage.Unscanned;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.taxonomy.Hazard;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** A checked policy, ready to decide. Immutable, and safe for use by many threads. */
public final class CompiledPolicy {

    /*
     * Strictness: each reason to do something with the content is a ground; the strictest ground wins, and all grounds of
     * that strictness explain the decision.
     *
     * Alone: a hazard is present where its probability reaches its threshold, and its first matching rule says what to do.
     *
     * Together: a guard's probabilities exclude each other and add up to P(unsafe). A text that is unsafe for sure, but
     * spread over three hazards of 0.3 each, would pass every single threshold; this is what an attacker aims at who mixes
     * harms. So the hazards whose rules act at least as strictly as some action are also summed, and where the sum reaches
     * the default threshold, that action is due. A hazard whose own threshold is above the default stays out of the sum:
     * its author asked for more certainty. What the guard holds for unsafe without naming a hazard counts as a hazard that
     * no rule names.
     *
     * Where an assessment's meaning is that one content may have several hazards at once, their sum counts the same
     * content more than once. That one or another of them is present can be no likelier than the sum, and no likelier
     * than P(unsafe): the lesser of the two stands for the sum then, which errs to the strict side only.
     *
     * Monotonic: the sums run over growing sets, from block down to flag, and over values that are never negative, so more
     * probability, more hazards and more assessments never weaken a decision. The additions run in the order of the
     * assessment, not of the values, because rounding is monotonic only for a fixed order.
     */

    private static final double SLACK = 1e-9;

    private static final int UNSCANNED_SHOWN = 3;
    private static final String BLOCKED = "This content was blocked by the safety policy.";
    private static final String UNAVAILABLE =
            "The safety check is not available at the moment, so this content was not passed on. Try again later.";
    private static final List<Action> STRICTEST_FIRST = List.of(Action.BLOCK, Action.RESPOND, Action.FLAG);
    private static final CompiledRule NO_RULE = new CompiledRule(
            Optional.empty(), Optional.empty(), Set.of(Direction.values()), Action.BLOCK, Optional.empty());

    private final Policy policy;
    private final List<CompiledRule> rules;
    private final Probability defaultThreshold;
    private final Map<Hazard, Probability> thresholds;
    private final List<PolicyIssue> warnings;
    private final String revision;

    CompiledPolicy(
            Policy policy,
            List<CompiledRule> rules,
            Probability defaultThreshold,
            Map<Hazard, Probability> thresholds,
            List<PolicyIssue> warnings) {
        this.policy = policy;
        this.rules = List.copyOf(rules);
        this.defaultThreshold = defaultThreshold;
        this.thresholds = Map.copyOf(thresholds);
        this.warnings = List.copyOf(warnings);
        this.revision = policy.name() + "@" + policy.version() + "+"
                + digest(policy.source().text());
    }

    /** A rule whose hazards exist. Without hazards it is about any; without an id it stands for the lack of a rule. */
    record CompiledRule(
            Optional<String> id,
            Optional<List<Hazard>> hazards,
            Set<Direction> directions,
            Action action,
            Optional<String> message) {

        boolean matches(Hazard hazard, Direction direction) {
            return directions.contains(direction)
                    && hazards.map(h -> h.contains(hazard)).orElse(true);
        }
    }

    public String name() {
        return policy.name();
    }

    public int version() {
        return policy.version();
    }

    /** Changes with every change of the file: {@code name@version+} and eight hex digits. */
    public String revision() {
        return revision;
    }

    /** What is written in the file. */
    public Policy policy() {
        return policy;
    }

    /** Of the policy, or else the one that the guard recommends. */
    public Probability defaultThreshold() {
        return defaultThreshold;
    }

    /** How the guard for text is used. */
    public GuardUse textGuard() {
        return policy.textGuard();
    }

    /** How streamed answers are cut into windows. */
    public StreamingWindows streaming() {
        return policy.streaming();
    }

    /** What works otherwise than its author may believe; to be logged when the policy is loaded. */
    public List<PolicyIssue> warnings() {
        return warnings;
    }

    /**
     * Decides about one piece of traffic.
     *
     * @param assessments one for each thing that was to be judged; none only where there was nothing to judge, which is
     *     allowed
     */
    public Decision decide(List<Assessment> assessments, Facts facts) {
        List<Scored> scored = assessments.stream()
                .filter(Scored.class::isInstance)
                .map(Scored.class::cast)
                .toList();
        List<Ground> grounds = new ArrayList<>(alone(scored, facts.direction()));
        together(scored, facts.direction())
                .filter(ground -> grounds.stream().noneMatch(g -> g.outcome.compareTo(ground.outcome) >= 0))
                .ifPresent(grounds::add);
        unscanned(assessments).ifPresent(grounds::add);
        withoutVerdict(assessments).ifPresent(grounds::add);
        Outcome outcome = grounds.stream()
                .map(Ground::outcome)
                .max(Comparator.naturalOrder())
                .orElse(Outcome.ALLOW);
        return decision(outcome, grounds, scored);
    }

    /** Why something is done. The message is what a client gets where this ground wins. */
    private record Ground(
            Outcome outcome, List<String> ruleIds, List<Finding> findings, String explanation, String message) {}

    /** What one hazard of one assessment weighs; without a hazard, the rest of P(unsafe) that no hazard accounts for. */
    private record Share(Optional<Hazard> hazard, double probability, CompiledRule rule) {}

    private List<Ground> alone(List<Scored> scored, Direction direction) {
        Map<Hazard, Probability> highest = new LinkedHashMap<>();
        for (Scored assessment : scored) {
            assessment.hazards().forEach((hazard, p) -> highest.merge(hazard, p, CompiledPolicy::max));
        }
        return highest.entrySet().stream()
                .map(entry -> new Finding(entry.getKey(), entry.getValue(), threshold(entry.getKey())))
                .filter(finding -> reaches(finding.probability().value(), finding.threshold()))
                .sorted(Comparator.comparing(Finding::probability).reversed())
                .map(finding -> {
                    CompiledRule rule = rule(finding.hazard(), direction);
                    String explanation = subject(rule) + " " + rule.action().verb() + " " + describe(finding.hazard())
                            + (isBare(finding, scored)
                                    ? ": the guard named it, and gives no probabilities."
                                    : ": its probability "
                                            + number(finding.probability().value())
                                            + " is at or above the threshold "
                                            + number(finding.threshold().value()) + ".");
                    return ground(rule, List.of(finding), explanation);
                })
                .toList();
    }

    /** Whether it was a verdict without probabilities that found this. */
    private static boolean isBare(Finding finding, List<Scored> scored) {
        return scored.stream()
                .anyMatch(assessment -> assessment.meaning() == Meaning.VERDICT
                        && finding.probability().equals(assessment.hazards().get(finding.hazard())));
    }

    private Optional<Ground> together(List<Scored> scored, Direction direction) {
        return scored.stream()
                .flatMap(assessment -> together(assessment, direction).stream())
                .max(Comparator.comparing(Ground::outcome));
    }

    private Optional<Ground> together(Scored assessment, Direction direction) {
        List<Share> shares = new ArrayList<>();
        for (Map.Entry<Hazard, Probability> entry : assessment.hazards().entrySet()) {
            if (threshold(entry.getKey()).compareTo(defaultThreshold) <= 0) {
                double probability = entry.getValue().value();
                shares.add(new Share(Optional.of(entry.getKey()), probability, rule(entry.getKey(), direction)));
            }
        }
        if (assessment.unnamed().value() > 0) {
            shares.add(new Share(Optional.empty(), assessment.unnamed().value(), NO_RULE));
        }
        for (Action action : STRICTEST_FIRST) {
            List<Share> candidates = shares.stream()
                    .filter(share -> share.rule.action().compareTo(action) >= 0)
                    .toList();
            double sum = 0;
            for (Share candidate : candidates) {
                sum += candidate.probability;
            }
            if (!candidates.isEmpty() && reaches(oneOrAnother(sum, assessment), defaultThreshold)) {
                return Optional.of(together(action, candidates, assessment));
            }
        }
        return Optional.empty();
    }

    /** The probability that content has at least one of some hazards, or the least that is known to be no less. */
    private static double oneOrAnother(double sum, Scored assessment) {
        return assessment.meaning().exclusive()
                ? sum
                : Math.min(sum, assessment.unsafe().value());
    }

    private Ground together(Action action, List<Share> candidates, Scored assessment) {
        List<Share> sorted = candidates.stream()
                .sorted(Comparator.comparingDouble(Share::probability).reversed())
                .toList();
        List<Share> enough = new ArrayList<>();
        double sum = 0;
        for (Share share : sorted) {
            if (!enough.isEmpty() && reaches(oneOrAnother(sum, assessment), defaultThreshold)) {
                break;
            }
            enough.add(share);
            sum += share.probability;
        }
        // stricter candidates alone did not reach the threshold, so there is one that acts exactly so
        Share likeliest = sorted.stream()
                .filter(share -> share.rule.action() == action)
                .findFirst()
                .orElseThrow();
        String explanation = subject(likeliest.rule) + " " + action.verb() + " this: "
                + enough.stream()
                        .map(share -> share.hazard.map(CompiledPolicy::describe).orElse("hazards without a name") + " "
                                + number(share.probability))
                        .collect(Collectors.joining(", "))
                + (assessment.meaning().exclusive() ? " add up to " : " are one or another up to ")
                + number(oneOrAnother(sum, assessment)) + ", at or above the threshold "
                + number(defaultThreshold.value()) + ".";
        List<Finding> findings = enough.stream()
                .flatMap(share -> share.hazard.stream()
                        .map(hazard -> new Finding(hazard, new Probability(share.probability), defaultThreshold)))
                .toList();
        return ground(likeliest.rule, findings, explanation);
    }

    private Ground ground(CompiledRule rule, List<Finding> findings, String explanation) {
        List<String> ruleIds = rule.id().stream().toList();
        String message = rule.message().or(policy::blockMessage).orElse(BLOCKED);
        return new Ground(rule.action().outcome(), ruleIds, findings, explanation, message);
    }

    private Optional<Ground> unscanned(List<Assessment> assessments) {
        List<Unscanned> unscanned = assessments.stream()
                .flatMap(assessment -> assessment.coverage().unscanned().stream())
                .distinct()
                .toList();
        if (unscanned.isEmpty()) {
            return Optional.empty();
        }
        int more = unscanned.size() - UNSCANNED_SHOWN;
        String what = unscanned.stream()
                        .limit(UNSCANNED_SHOWN)
                        .map(u -> u.what() + " at " + u.where() + " (" + u.why() + ")")
                        .collect(Collectors.joining("; "))
                + (more > 0 ? "; and " + more + " more" : "");
        return Optional.of(new Ground(
                policy.unscanned().outcome(),
                List.of(),
                List.of(),
                "The policy " + policy.unscanned().verb() + " what the guard could not read: " + what + ".",
                policy.blockMessage().map(message -> message + " ").orElse("")
                        + "A part of this content cannot be checked, and what cannot be checked does not pass: " + what
                        + "."));
    }

    private Optional<Ground> withoutVerdict(List<Assessment> assessments) {
        List<String> reasons = assessments.stream()
                .filter(Inconclusive.class::isInstance)
                .map(Inconclusive.class::cast)
                .map(inconclusive ->
                        inconclusive.reason().name().toLowerCase(Locale.ROOT) + ", " + inconclusive.detail())
                .distinct()
                .toList();
        if (reasons.isEmpty()) {
            return Optional.empty();
        }
        GuardUse.Unavailable unavailable = policy.textGuard().unavailable();
        return Optional.of(new Ground(
                unavailable.outcome(),
                List.of(),
                List.of(),
                "The guard came to no verdict (" + String.join("; ", reasons) + "), and the policy says 'unavailable: "
                        + unavailable.name().toLowerCase(Locale.ROOT) + "'.",
                UNAVAILABLE));
    }

    private Decision decision(Outcome outcome, List<Ground> grounds, List<Scored> scored) {
        List<Ground> winning =
                grounds.stream().filter(ground -> ground.outcome == outcome).toList();
        List<String> ruleIds = winning.stream()
                .flatMap(ground -> ground.ruleIds.stream())
                .distinct()
                .toList();
        Map<Hazard, Finding> findings = new LinkedHashMap<>();
        grounds.stream()
                .flatMap(ground -> ground.findings.stream())
                .sorted(Comparator.comparing(Finding::probability).reversed())
                .forEach(finding -> findings.putIfAbsent(finding.hazard(), finding));
        List<Finding> found = List.copyOf(findings.values());
        String explanation = winning.isEmpty()
                ? nothingFound(scored)
                : winning.stream().map(Ground::explanation).collect(Collectors.joining(" "));
        String message = winning.stream().map(Ground::message).findFirst().orElse(BLOCKED);
        return switch (outcome) {
            case ALLOW -> new Decision.Allow(ruleIds, found, explanation);
            case FLAG -> new Decision.Flag(ruleIds, found, explanation);
            case RESPOND -> new Decision.Respond(ruleIds, found, explanation, message);
            case UNAVAILABLE -> new Decision.Unavailable(ruleIds, found, explanation, message);
            case BLOCK -> new Decision.Block(ruleIds, found, explanation, message, policy.blockStyle());
        };
    }

    private String nothingFound(List<Scored> scored) {
        return scored.stream()
                .flatMap(assessment -> assessment.hazards().entrySet().stream())
                .max(Map.Entry.comparingByValue())
                .map(likeliest -> "No hazard reaches its threshold; the likeliest is " + describe(likeliest.getKey())
                        + " with " + number(likeliest.getValue().value()) + " of "
                        + number(threshold(likeliest.getKey()).value()) + ".")
                .orElse("There was nothing to judge.");
    }

    private CompiledRule rule(Hazard hazard, Direction direction) {
        return rules.stream()
                .filter(rule -> rule.matches(hazard, direction))
                .findFirst()
                .orElse(NO_RULE);
    }

    private Probability threshold(Hazard hazard) {
        return thresholds.getOrDefault(hazard, defaultThreshold);
    }

    private static boolean reaches(double probability, Probability threshold) {
        return probability >= threshold.value() - SLACK;
    }

    private static Probability max(Probability a, Probability b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    private static String subject(CompiledRule rule) {
        return rule.id().map(id -> "Rule '" + id + "'").orElse("No rule names it, so the policy");
    }

    private static String describe(Hazard hazard) {
        return hazard.code() + " (" + hazard.displayName() + ")";
    }

    private static String number(double value) {
        return new BigDecimal(value)
                .setScale(4, RoundingMode.HALF_EVEN)
                .stripTrailingZeros()
                .toPlainString();
    }

    private static String digest(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 4);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
