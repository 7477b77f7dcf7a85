package dev.corral.policies.policy;

import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Runs the tests inside a policy. */
public final class PolicyTester {

    private PolicyTester() {}

    /**
     * What came of a test.
     *
     * @param decision that was made
     * @param failures what is not as expected, in sentences; none where the test passed
     */
    public record Result(PolicyTest test, Decision decision, List<String> failures) {

        public Result {
            failures = List.copyOf(failures);
        }

        public boolean passed() {
            return failures.isEmpty();
        }
    }

    /**
     * Runs all tests, in their order.
     *
     * @param guard what a real guard finds, for the tests that are live
     */
    public static List<Result> run(CompiledPolicy policy, Function<PolicyTest, Assessment> guard) {
        return policy.policy().tests().stream()
                .map(test -> run(policy, test, test.live() ? guard.apply(test) : given(policy, test)))
                .toList();
    }

    /** Runs the tests that need no guard, in their order. */
    public static List<Result> runGiven(CompiledPolicy policy) {
        return policy.policy().tests().stream()
                .filter(test -> !test.live())
                .map(test -> run(policy, test, given(policy, test)))
                .toList();
    }

    private static Assessment given(CompiledPolicy policy, PolicyTest test) {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        test.given()
                .forEach((reference, probability) ->
                        policy.hazard(reference.code()).ifPresent(hazard -> hazards.put(hazard, probability)));
        double unsafe =
                hazards.values().stream().mapToDouble(Probability::value).sum();
        return new Scored(
                new Probability(Math.min(1, unsafe)),
                hazards,
                Coverage.ofText(test.text().length()));
    }

    private static Result run(CompiledPolicy policy, PolicyTest test, Assessment assessment) {
        List<Evidence> evidence = new ArrayList<>();
        evidence.add(test.evidence(assessment));
        policy.match(test.text()).forEach(found -> evidence.add(test.evidence(found)));
        Decision decision = policy.weigh(evidence, test.facts());
        List<String> failures = new ArrayList<>();
        if (decision.outcome() != test.expect()) {
            failures.add("expected " + word(test.expect()) + ", but it is " + word(decision.outcome()) + ". "
                    + decision.explanation());
        }
        test.by()
                .filter(id -> !decision.ruleIds().contains(id))
                .ifPresent(id -> failures.add("expected rule '" + id + "', but it is "
                        + (decision.ruleIds().isEmpty()
                                ? "none"
                                : decision.ruleIds().stream().collect(Collectors.joining("', '", "'", "'")))));
        String redacted =
                policy.redaction(test.text(), test.source(), test.facts()).apply(test.text());
        test.redacted()
                .filter(expected -> !expected.equals(redacted))
                .ifPresent(
                        expected -> failures.add("expected the text '" + expected + "', but it is '" + redacted + "'"));
        return new Result(test, decision, failures);
    }

    private static String word(Decision.Outcome outcome) {
        return outcome.name().toLowerCase(Locale.ROOT);
    }
}
