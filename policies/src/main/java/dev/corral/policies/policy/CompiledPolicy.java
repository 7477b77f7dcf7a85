package dev.corral.policies.policy;

import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Coverage.Unscanned;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.pattern.Redaction;
import dev.corral.policies.pattern.Redaction.Replacement;
import dev.corral.policies.pattern.Span;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.Policy.Guards;
import dev.corral.policies.policy.Policy.NamedPattern;
import dev.corral.policies.policy.Policy.Source;
import dev.corral.policies.taxonomy.Hazard;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

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

    private static final Duration TEXT_TIMEOUT = Duration.ofSeconds(10);

    private static final int UNSCANNED_SHOWN = 3;
    private static final String BLOCKED = "This content was blocked by the safety policy.";
    private static final String UNAVAILABLE =
            "The safety check is not available at the moment, so this content was not passed on. Try again later.";
    private static final List<Action> STRICTEST_FIRST =
            List.of(Action.BLOCK, Action.RESPOND, Action.REDACT, Action.FLAG);

    private final Policy policy;
    private final List<Hazard> hazards;
    private final List<Hazard> asked;
    private final Map<Hazard, List<NamedPattern>> patterns;
    private final Map<Hazard, String> replacements;
    private final Set<Hazard> excluded;
    private final List<CompiledRule> rules;
    private final RuleBook book;
    private final Probability defaultThreshold;
    private final Map<Hazard, Probability> thresholds;
    private final List<PolicyIssue> warnings;
    private final String revision;

    CompiledPolicy(
            Policy policy,
            Vocabulary vocabulary,
            List<CompiledRule> rules,
            Probability defaultThreshold,
            Map<Hazard, Probability> thresholds,
            List<PolicyIssue> warnings) {
        this.policy = policy;
        this.hazards = vocabulary.hazards();
        this.asked = vocabulary.asked();
        this.patterns = vocabulary.patterns();
        this.replacements = vocabulary.replacements();
        this.excluded = vocabulary.excluded();
        this.rules = List.copyOf(rules);
        this.book = new RuleBook(rules, vocabulary.hazards());
        this.defaultThreshold = defaultThreshold;
        this.thresholds = Map.copyOf(thresholds);
        this.warnings = List.copyOf(warnings);
        this.revision = policy.name() + "@" + policy.version() + "+" + digest(policy.sources());
    }

    public String name() {
        return policy.name();
    }

    public int version() {
        return policy.version();
    }

    /** Changes with every change of its files: {@code name@version+} and eight hex digits. */
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

    /** How guards are used. */
    public Guards guards() {
        return policy.guards();
    }

    /** For one judgement of a text. */
    public Duration textTimeout() {
        return guards().text().timeout().orElse(TEXT_TIMEOUT);
    }

    /** What is allowed about images that a request names by their address. */
    public ImageUse images() {
        return policy.images();
    }

    /** How clients are told of a block. */
    public BlockStyle blockStyle() {
        return policy.blockStyle();
    }

    /** How streamed answers are cut into windows. */
    public StreamingWindows streaming() {
        return policy.streaming();
    }

    /** Which requests go to the upstream before the verdict. */
    public Optimism optimism() {
        return policy.optimism();
    }

    /** What works otherwise than its author may believe; to be logged when the policy is loaded. */
    public List<PolicyIssue> warnings() {
        return warnings;
    }

    /** What the guard should look for, in this order: its own hazards without the excluded ones, and the policy's. */
    public List<Hazard> asked() {
        return asked;
    }

    /** All hazards that it can speak of: the guard's, then its own. */
    public List<Hazard> hazards() {
        return hazards;
    }

    /** The hazard with this exact code, or empty. */
    public Optional<Hazard> hazard(String code) {
        return hazards.stream().filter(hazard -> hazard.code().equals(code)).findFirst();
    }

    /** Numbers at which decisions may change beside the thresholds: those that rules name. */
    SortedSet<Double> steps() {
        SortedSet<Double> steps = new TreeSet<>(Set.of(defaultThreshold.value()));
        for (CompiledRule rule : rules) {
            steps.add(rule.probability().atLeast());
            steps.add(Math.min(1, rule.probability().below()));
            rule.condition().ifPresent(condition -> {
                steps.addAll(condition.probabilitySteps());
                steps.addAll(condition.unsafeSteps());
            });
        }
        return steps;
    }

    /** The rules, as conditions and decisions need them. */
    List<CompiledRule> rules() {
        return rules;
    }

    /** The hazards that are found by patterns. */
    public Set<Hazard> patternHazards() {
        return patterns.keySet();
    }

    /** From which probability on a hazard is present. */
    public Probability threshold(Hazard hazard) {
        return thresholds.getOrDefault(hazard, defaultThreshold);
    }

    /** What the patterns find in a text: an assessment for each hazard. */
    public List<Assessment> match(String text) {
        List<Assessment> found = new ArrayList<>();
        patterns.forEach((hazard, list) -> {
            if (list.stream().anyMatch(named -> named.pattern().isIn(text))) {
                found.add(new Scored(Probability.ONE, Map.of(hazard, Probability.ONE), Coverage.NOTHING));
            }
        });
        return found;
    }

    /**
     * What rules redact of a text. Whether anything is redacted at all is for {@link #weigh} to say: a stricter rule may
     * stop the whole.
     */
    public Redaction redaction(String text, ContentSource source, Facts facts) {
        List<Replacement> found = new ArrayList<>();
        patterns.forEach((hazard, list) -> {
            Evidence evidence = new Evidence(
                    new Scored(Probability.ONE, Map.of(hazard, Probability.ONE), Coverage.NOTHING),
                    Set.of(source),
                    ContentHash.NONE);
            if (book.rule(hazard, facts, evidence, 1, 1).action() == Action.REDACT) {
                for (NamedPattern named : list) {
                    for (Span span : named.pattern().find(text)) {
                        found.add(new Replacement(span, replacements.getOrDefault(hazard, "")));
                    }
                }
            }
        });
        return Redaction.of(found);
    }

    /** All that patterns find in a text, whatever rules do with it. */
    public Redaction spans(String text) {
        List<Replacement> found = new ArrayList<>();
        patterns.forEach((hazard, list) -> list.forEach(named -> named.pattern()
                .find(text)
                .forEach(span -> found.add(new Replacement(span, replacements.getOrDefault(hazard, ""))))));
        return Redaction.of(found);
    }

    /** Whether a rule redacts anything that travels this way. */
    public boolean redacts(Direction direction) {
        return rules.stream()
                .anyMatch(rule ->
                        rule.action() == Action.REDACT && rule.directions().contains(direction));
    }

    /**
     * So many UTF-16 units at the end of a growing text may still become a part of what patterns find; a stream keeps them
     * back until it is over. Patterns without a limit do not count, and neither do those whose hazards are always allowed
     * or flagged.
     */
    public int holdBack(Direction direction) {
        return patterns.entrySet().stream()
                .filter(entry -> mayBeHeld(entry.getKey(), direction))
                .flatMap(entry -> entry.getValue().stream())
                .mapToInt(named -> named.pattern().longest().orElse(0))
                .max()
                .orElse(0);
    }

    /** Whether a rule may keep this hazard from the client, or no rule is for all cases of it, so that it may be blocked. */
    private boolean mayBeHeld(Hazard hazard, Direction direction) {
        List<CompiledRule> about = rules.stream()
                .filter(rule -> rule.isAbout(hazard) && rule.directions().contains(direction))
                .toList();
        return about.stream().noneMatch(CompiledRule::isForEveryCase)
                || about.stream().anyMatch(rule -> rule.action().compareTo(Action.REDACT) >= 0);
    }

    /** What an audit may keep of the content of a decision: the least that one of its rules allows. */
    public AuditDetail audit(Decision decision) {
        return rules.stream()
                .filter(rule -> rule.id().map(decision.ruleIds()::contains).orElse(false))
                .map(rule -> rule.audit().orElse(policy.audit()))
                .min(Comparator.naturalOrder())
                .orElse(policy.audit());
    }

    /**
     * Decides about one piece of traffic: what users asked, or what an assistant answered.
     *
     * @param assessments one for each thing that was to be judged; none only where there was nothing to judge, which is
     *     allowed
     */
    public Decision decide(List<Assessment> assessments, Facts facts) {
        return weigh(
                assessments.stream()
                        .map(assessment -> Evidence.plain(assessment, facts.direction()))
                        .toList(),
                facts);
    }

    /**
     * Decides about one piece of traffic.
     *
     * @param evidence one for each thing that was to be judged; none only where there was nothing to judge, which is
     *     allowed
     */
    public Decision weigh(List<Evidence> evidence, Facts facts) {
        List<Assessment> assessments =
                evidence.stream().map(Evidence::assessment).toList();
        List<Ground> grounds = new ArrayList<>(alone(evidence, facts));
        together(evidence, facts)
                .filter(ground -> grounds.stream().noneMatch(g -> g.outcome.compareTo(ground.outcome) >= 0))
                .ifPresent(grounds::add);
        unscanned(assessments, facts).ifPresent(grounds::add);
        grounds.addAll(withoutVerdict(evidence));
        Outcome outcome = grounds.stream()
                .map(Ground::outcome)
                .max(Comparator.naturalOrder())
                .orElse(Outcome.ALLOW);
        return decision(outcome, grounds, assessments);
    }

    /** Why something is done. The message is what a client gets where this ground wins. */
    private record Ground(
            Outcome outcome, List<String> ruleIds, List<Finding> findings, String explanation, String message) {}

    /** What one hazard of one assessment weighs; without a hazard, the rest of P(unsafe) that no hazard accounts for. */
    private record Share(Optional<Hazard> hazard, double probability, CompiledRule rule) {}

    /** A hazard that a rule decides about. */
    private record Case(Hazard hazard, CompiledRule rule) {}

    private List<Ground> alone(List<Evidence> evidence, Facts facts) {
        Map<Case, Probability> cases = new LinkedHashMap<>();
        for (Evidence piece : evidence) {
            if (piece.assessment() instanceof Scored scored) {
                scored.hazards().forEach((hazard, p) -> {
                    if (!excluded.contains(hazard) && reaches(p.value(), threshold(hazard))) {
                        CompiledRule rule = book.rule(
                                hazard, facts, piece, p.value(), scored.unsafe().value());
                        cases.merge(new Case(hazard, rule), p, CompiledPolicy::max);
                    }
                });
            }
        }
        return cases.entrySet().stream()
                .sorted(Map.Entry.<Case, Probability>comparingByValue().reversed())
                .map(entry -> ground(entry.getKey(), entry.getValue(), evidence, facts))
                .toList();
    }

    private Ground ground(Case present, Probability probability, List<Evidence> evidence, Facts facts) {
        Finding finding = new Finding(present.hazard, probability, threshold(present.hazard));
        String why;
        if (patterns.containsKey(present.hazard)) {
            why = ": its patterns match.";
        } else if (isBare(finding, evidence)) {
            why = ": the guard named it, and gives no probabilities.";
        } else {
            why = ": its probability " + number(probability.value()) + " is at or above the threshold "
                    + number(finding.threshold().value()) + ".";
        }
        String explanation =
                subject(present.rule) + " " + present.rule.action().verb() + " " + describe(present.hazard) + why;
        return ground(present.rule, List.of(finding), explanation, facts);
    }

    /** Whether it was a verdict without probabilities that found this. */
    private static boolean isBare(Finding finding, List<Evidence> evidence) {
        return evidence.stream()
                .anyMatch(piece -> piece.assessment() instanceof Scored scored
                        && scored.meaning() == Meaning.VERDICT
                        && finding.probability().equals(scored.hazards().get(finding.hazard())));
    }

    private Optional<Ground> together(List<Evidence> evidence, Facts facts) {
        return evidence.stream()
                .flatMap(piece -> piece.assessment() instanceof Scored scored
                        ? together(piece, scored, facts).stream()
                        : Stream.empty())
                .max(Comparator.comparing(Ground::outcome));
    }

    private Optional<Ground> together(Evidence piece, Scored assessment, Facts facts) {
        List<Map.Entry<Hazard, Probability>> counted = new ArrayList<>();
        double countable = 0;
        for (Map.Entry<Hazard, Probability> entry : assessment.hazards().entrySet()) {
            double probability = entry.getValue().value();
            if (!excluded.contains(entry.getKey()) && threshold(entry.getKey()).compareTo(defaultThreshold) <= 0) {
                counted.add(entry);
                countable += probability;
            }
        }
        double rest = assessment.unnamed().value();
        // a bound on every sum below, whatever the rules
        if (!reaches(countable + rest + SLACK, defaultThreshold)) {
            return Optional.empty();
        }
        List<Share> shares = new ArrayList<>();
        for (Map.Entry<Hazard, Probability> entry : counted) {
            double probability = entry.getValue().value();
            CompiledRule rule = book.rule(
                    entry.getKey(),
                    facts,
                    piece,
                    probability,
                    assessment.unsafe().value());
            shares.add(new Share(Optional.of(entry.getKey()), probability, rule));
        }
        if (rest > 0) {
            shares.add(new Share(Optional.empty(), rest, CompiledRule.NONE));
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
                return Optional.of(together(action, candidates, assessment, facts));
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

    private Ground together(Action action, List<Share> candidates, Scored assessment, Facts facts) {
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
        return ground(likeliest.rule, findings, explanation, facts);
    }

    private Ground ground(CompiledRule rule, List<Finding> findings, String explanation, Facts facts) {
        List<String> ruleIds = rule.id().stream().toList();
        String message = rule.message()
                .or(policy::blockMessage)
                .map(texts -> texts.pick(facts.languages()))
                .orElse(BLOCKED);
        return new Ground(rule.action().outcome(), ruleIds, findings, explanation, message);
    }

    private Optional<Ground> unscanned(List<Assessment> assessments, Facts facts) {
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
                policy.blockMessage()
                                .map(message -> message.pick(facts.languages()) + " ")
                                .orElse("")
                        + "A part of this content cannot be checked, and what cannot be checked does not pass: " + what
                        + "."));
    }

    private List<Ground> withoutVerdict(List<Evidence> evidence) {
        return Stream.of(GuardKind.values())
                .flatMap(guard -> withoutVerdict(guard, evidence).stream())
                .toList();
    }

    private Optional<Ground> withoutVerdict(GuardKind guard, List<Evidence> evidence) {
        List<String> reasons = evidence.stream()
                .filter(piece -> piece.guard() == guard)
                .map(Evidence::assessment)
                .filter(Inconclusive.class::isInstance)
                .map(Inconclusive.class::cast)
                .map(inconclusive ->
                        inconclusive.reason().name().toLowerCase(Locale.ROOT) + ", " + inconclusive.detail())
                .distinct()
                .toList();
        if (reasons.isEmpty()) {
            return Optional.empty();
        }
        GuardUse.Unavailable unavailable = guards().of(guard).unavailable();
        String who = guard == GuardKind.TEXT ? "The guard" : "The guard for images";
        return Optional.of(new Ground(
                unavailable.outcome(),
                List.of(),
                List.of(),
                who + " came to no verdict (" + String.join("; ", reasons) + "), and the policy says 'unavailable: "
                        + unavailable.name().toLowerCase(Locale.ROOT) + "'.",
                UNAVAILABLE));
    }

    private Decision decision(Outcome outcome, List<Ground> grounds, List<Assessment> assessments) {
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
                ? nothingFound(assessments)
                : winning.stream().map(Ground::explanation).collect(Collectors.joining(" "));
        String message = winning.stream().map(Ground::message).findFirst().orElse(BLOCKED);
        return switch (outcome) {
            case ALLOW -> new Decision.Allow(ruleIds, found, explanation);
            case FLAG -> new Decision.Flag(ruleIds, found, explanation);
            case REDACT -> new Decision.Redact(ruleIds, found, explanation);
            case RESPOND -> new Decision.Respond(ruleIds, found, explanation, message);
            case UNAVAILABLE -> new Decision.Unavailable(ruleIds, found, explanation, message);
            case BLOCK -> new Decision.Block(ruleIds, found, explanation, message, policy.blockStyle());
        };
    }

    private String nothingFound(List<Assessment> assessments) {
        return assessments.stream()
                .filter(Scored.class::isInstance)
                .map(Scored.class::cast)
                .flatMap(assessment -> assessment.hazards().entrySet().stream())
                .max(Map.Entry.comparingByValue())
                .map(likeliest -> "No hazard reaches its threshold; the likeliest is " + describe(likeliest.getKey())
                        + " with " + number(likeliest.getValue().value()) + " of "
                        + number(threshold(likeliest.getKey()).value()) + ".")
                .orElse("There was nothing to judge.");
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

    private static String digest(List<Source> sources) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            sources.forEach(source -> digest.update(source.text().getBytes(StandardCharsets.UTF_8)));
            return HexFormat.of().formatHex(digest.digest(), 0, 4);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
