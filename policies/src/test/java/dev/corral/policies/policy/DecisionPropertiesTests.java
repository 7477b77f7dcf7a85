package dev.corral.policies.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DecisionPropertiesTests {

    private static final int CASES = Integer.getInteger("laws.cases", 1_000);

    @Test
    void decideWhenHazardIsMoreProbableNeverWeakens() {
        Map<Outcome, Integer> seen = new EnumMap<>(Outcome.class);
        int strengthened = 0;
        for (int seed = 0; seed < CASES; seed++) {
            RandomCases cases = new RandomCases(seed);
            CompiledPolicy policy = cases.policy();
            Facts facts = cases.facts();
            Scored scored = cases.scored(cases.probabilities(), cases.oneOf(List.of(0.0, 0.0, 0.3)));
            Hazard hazard = cases.hazard();

            Decision before = policy.decide(List.of(scored), facts);
            Decision after = policy.decide(List.of(cases.raised(scored, hazard)), facts);

            assertNotWeaker(after, before, seed);
            seen.merge(before.outcome(), 1, Integer::sum);
            strengthened += after.outcome() == before.outcome() ? 0 : 1;
        }
        assertThat(seen).containsOnlyKeys(Outcome.ALLOW, Outcome.FLAG, Outcome.RESPOND, Outcome.BLOCK);
        assertThat(strengthened).isGreaterThan(CASES / 100);
    }

    @Test
    void decideWhenAllHazardsAreListedIsNeverWeakerThanByTheFirst() {
        int strengthened = 0;
        for (int seed = 0; seed < CASES; seed++) {
            RandomCases cases = new RandomCases(seed);
            CompiledPolicy policy = cases.policy();
            Facts facts = cases.facts();
            Scored first = cases.scored(cases.probabilities(), cases.oneOf(List.of(0.0, 0.0, 0.3)));

            Decision byFirst = policy.decide(List.of(first), facts);
            Decision byAll = policy.decide(List.of(cases.ofAllHazards(first)), facts);

            assertNotWeaker(byAll, byFirst, seed);
            strengthened += byAll.outcome() == byFirst.outcome() ? 0 : 1;
        }
        assertThat(strengthened).isGreaterThan(CASES / 100);
    }

    @Test
    void decideWhenHazardIsAddedNeverWeakens() {
        for (int seed = 0; seed < CASES; seed++) {
            RandomCases cases = new RandomCases(seed);
            CompiledPolicy policy = cases.policy();
            Facts facts = cases.facts();
            Map<Hazard, Double> probabilities = cases.probabilities();
            Hazard added = cases.hazard();
            Map<Hazard, Double> without = new LinkedHashMap<>(probabilities);
            without.remove(added);

            assertNotWeaker(
                    policy.decide(List.of(cases.scored(probabilities, 0)), facts),
                    policy.decide(List.of(cases.scored(without, 0)), facts),
                    seed);
        }
    }

    @Test
    void decideWhenAssessmentIsAddedNeverWeakens() {
        for (int seed = 0; seed < CASES; seed++) {
            RandomCases cases = new RandomCases(seed);
            CompiledPolicy policy = cases.policy();
            Facts facts = cases.facts();
            List<Assessment> some = cases.assessments();
            List<Assessment> more = new ArrayList<>(some);
            more.add(cases.assessment());

            assertNotWeaker(policy.decide(more, facts), policy.decide(some, facts), seed);
        }
    }

    @Test
    void decideWhenAssessmentsAreShuffledIsAsStrict() {
        for (int seed = 0; seed < CASES; seed++) {
            RandomCases cases = new RandomCases(seed);
            CompiledPolicy policy = cases.policy();
            Facts facts = cases.facts();
            List<Assessment> assessments = cases.assessments();
            List<Assessment> reversed = new ArrayList<>(assessments);
            Collections.reverse(reversed);

            assertThat(policy.decide(reversed, facts).outcome())
                    .as("seed %s", seed)
                    .isEqualTo(policy.decide(assessments, facts).outcome());
        }
    }

    /** Whatever the threshold of a hazard, the decision is at least what it would be without that hazard. */
    @Test
    void decideWhenThresholdOfOneHazardChangesNeverSwitchesOffAnother() {
        for (int seed = 0; seed < CASES; seed++) {
            RandomCases cases = new RandomCases(seed);
            String rules = cases.rules();
            double defaultThreshold = cases.threshold();
            Map<Hazard, Double> thresholds = cases.thresholds();
            Hazard changed = cases.hazard();
            Map<Hazard, Double> otherThresholds = new LinkedHashMap<>(thresholds);
            otherThresholds.put(changed, cases.threshold());
            Map<Hazard, Double> probabilities = cases.probabilities();
            Map<Hazard, Double> without = new LinkedHashMap<>(probabilities);
            without.remove(changed);
            Facts facts = cases.facts();

            assertNotWeaker(
                    cases.policy(rules, defaultThreshold, otherThresholds)
                            .decide(List.of(cases.scored(probabilities, 0)), facts),
                    cases.policy(rules, defaultThreshold, thresholds).decide(List.of(cases.scored(without, 0)), facts),
                    seed);
        }
    }

    /** Neighbours that are about different hazards can be swapped. */
    @Test
    void decideWhenRulesOfDifferentHazardsChangePlacesDecidesTheSame() {
        int swapped = 0;
        for (int seed = 0; seed < CASES; seed++) {
            RandomCases cases = new RandomCases(seed);
            List<String> rules = cases.ruleLines();
            double threshold = cases.threshold();
            List<Integer> free = IntStream.range(0, rules.size() - 1)
                    .filter(i -> !hazards(rules.get(i)).equals(hazards(rules.get(i + 1)))
                            && !rules.get(i + 1).contains("hazard: any"))
                    .boxed()
                    .toList();
            if (free.isEmpty()) {
                continue;
            }
            List<String> others = new ArrayList<>(rules);
            int at = cases.oneOf(free);
            Collections.swap(others, at, at + 1);
            Facts facts = cases.facts();
            List<Assessment> assessments = List.of(cases.scored(cases.probabilities(), 0));

            Decision decision = cases.policy("rules:\n" + String.join("", rules), threshold, Map.of())
                    .decide(assessments, facts);
            Decision other = cases.policy("rules:\n" + String.join("", others), threshold, Map.of())
                    .decide(assessments, facts);

            assertThat(other).as("seed %s", seed).isEqualTo(decision);
            swapped++;
        }
        assertThat(swapped).isGreaterThan(CASES / 2);
    }

    private static String hazards(String rule) {
        return rule.replaceAll(".*hazard(?:: | == ')(\\w+).*\n", "$1");
    }

    @Test
    void decideWhenUnsafeIsSpreadOverBlockedHazardsBlocks() {
        CompiledPolicy policy = Policies.loadDefault(new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 0));
        for (int seed = 0; seed < CASES; seed++) {
            RandomCases cases = new RandomCases(seed);
            Scored scored = cases.scored(cases.probabilities(), 0);
            boolean blocked = policy.decide(List.of(scored), cases.facts()).outcome() == Outcome.BLOCK;

            assertThat(blocked || scored.unsafe().value() < 0.5)
                    .as("seed %s", seed)
                    .isTrue();
        }
    }

    @Test
    void parseWhenFileIsDamagedNeverThrows() {
        String text = Policies.defaultText();
        int usable = 0;
        for (int seed = 0; seed < CASES; seed++) {
            String damaged = new RandomCases(seed).damaged(text);

            ParsedPolicy parsed = PolicyParser.parse(damaged, "damaged.yaml");

            boolean errors = parsed.issues().stream().anyMatch(issue -> issue.severity() == Severity.ERROR);
            assertThat(parsed.policy().isPresent()).as("seed %s", seed).isEqualTo(!errors);
            parsed.issues().forEach(issue -> assertThat(issue.render(damaged)).contains(issue.message()));
            usable += parsed.policy().isPresent() ? 1 : 0;
        }
        assertThat(usable).isBetween(1, CASES - 1);
    }

    private static void assertNotWeaker(Decision stronger, Decision weaker, int seed) {
        assertThat(stronger.outcome())
                .as("seed %s: %s%nafter %s", seed, stronger.explanation(), weaker.explanation())
                .isGreaterThanOrEqualTo(weaker.outcome());
    }
}
