package dev.corral.policies.policy;

import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Reason;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Coverage.Extent;
import dev.corral.policies.assessment.Coverage.Unscanned;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;

/** Makes policies and assessments that are the same for the same seed. */
final class RandomCases {

    private static final Taxonomy TAXONOMY = Taxonomy.LLAMA_GUARD_3;

    private final Random random;

    RandomCases(long seed) {
        random = new Random(seed);
    }

    <T> T oneOf(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }

    Hazard hazard() {
        return oneOf(TAXONOMY.hazards());
    }

    Facts facts() {
        return new Facts(
                oneOf(List.of(Direction.values())),
                oneOf(List.of("", "desk", "lab")),
                oneOf(List.of("", "acme")),
                "llama",
                oneOf(List.of(List.of(), List.of("de-CH", "en"))));
    }

    /** Above 0, up to 1; often one of few, so that sums meet thresholds exactly. */
    double threshold() {
        return random.nextBoolean()
                ? oneOf(List.of(0.1, 0.3, 0.5, 0.6, 0.9, 1.0))
                : 0.001 + 0.999 * random.nextDouble();
    }

    Map<Hazard, Double> thresholds() {
        Map<Hazard, Double> thresholds = new LinkedHashMap<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            thresholds.put(hazard(), threshold());
        }
        return thresholds;
    }

    CompiledPolicy policy() {
        return policy(rules(), threshold(), thresholds());
    }

    CompiledPolicy policy(String rules, double defaultThreshold, Map<Hazard, Double> thresholds) {
        String own = thresholds.entrySet().stream()
                .map(entry -> ", " + entry.getKey().code() + ": " + entry.getValue())
                .collect(Collectors.joining());
        String source = "policy: random\nversion: 1\nthresholds: { default: " + defaultThreshold + own + " }\n" + rules;
        return Policies.compile(source, "random.yaml", Beside.NOTHING, new GuardSight(TAXONOMY, Probability.ONE, 0));
    }

    /** The part of a policy below its thresholds; every rule can be reached. */
    String rules() {
        List<String> rules = ruleLines();
        return (rules.isEmpty() ? "" : "rules:\n" + String.join("", rules)) + rest();
    }

    /** Rules, each as a line; first narrow ones, then one for the rest of some hazards. */
    List<String> ruleLines() {
        List<Hazard> hazards = new ArrayList<>(TAXONOMY.hazards());
        Collections.shuffle(hazards, random);
        List<String> rules = new ArrayList<>();
        for (Hazard hazard : hazards.subList(0, random.nextInt(hazards.size()))) {
            String code = hazard.code();
            if (random.nextInt(3) == 0) {
                rules.add(rule(
                        rules.size(),
                        "{ hazard: " + code
                                + oneOf(List.of(
                                        ", probability: { at-least: 0.3 }",
                                        ", probability: { below: 0.6 }",
                                        ", probability: { at-least: 0.2, below: 0.9 }",
                                        ", route: \"d*\"",
                                        ", tenant: acme",
                                        ", language: de",
                                        ", source: [user, tool-result]"))
                                + " }"));
            }
            if (random.nextInt(8) == 0) {
                rules.add(rule(
                        rules.size(),
                        "\"hazard == '" + code + "' && "
                                + oneOf(List.of(
                                        "unsafe < 0.7",
                                        "probability >= 0.4",
                                        "(!(unsafe <= 0.5) || tenant == 'acme')",
                                        "probability > 0.2 && probability < 0.8"))
                                + "\""));
            }
            String direction = oneOf(List.of("", ", direction: prompt", ", direction: completion"));
            rules.add(rule(rules.size(), "{ hazard: " + code + direction + " }"));
        }
        if (random.nextBoolean()) {
            rules.add(rule(rules.size(), "{ hazard: any }"));
        }
        return rules;
    }

    private String rest() {
        return "unscanned: " + oneOf(List.of("block", "flag", "allow")) + "\nguards: { text: { unavailable: "
                + oneOf(List.of("error", "block", "flag", "allow")) + " } }\n";
    }

    private String rule(int id, String when) {
        String then = oneOf(List.of("allow", "flag", "respond, message: Hm", "block"));
        return "  - { id: r" + id + ", when: " + when + ", then: " + then + " }\n";
    }

    List<Assessment> assessments() {
        List<Assessment> assessments = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            assessments.add(assessment());
        }
        return assessments;
    }

    Assessment assessment() {
        if (random.nextInt(8) == 0) {
            return new Inconclusive(oneOf(List.of(Reason.values())), "scripted", coverage());
        }
        Scored scored = scored(probabilities(), random.nextInt(4) == 0 ? random.nextDouble() : 0);
        return new Scored(scored.unsafe(), scored.hazards(), coverage());
    }

    /** For each hazard; they add up to at most 1. */
    Map<Hazard, Double> probabilities() {
        Map<Hazard, Double> weights = new LinkedHashMap<>();
        for (Hazard hazard : TAXONOMY.hazards()) {
            weights.put(hazard, Math.pow(random.nextDouble(), 6));
        }
        double sum = weights.values().stream().mapToDouble(weight -> weight).sum();
        double unsafe = random.nextBoolean() ? oneOf(List.of(0.1, 0.5, 0.6, 0.9)) : random.nextDouble();
        weights.replaceAll((hazard, weight) -> weight / sum * unsafe);
        return weights;
    }

    /** Assessed so, with a share of what is left to 1 that no hazard accounts for. */
    Scored scored(Map<Hazard, Double> probabilities, double unnamedShare) {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        probabilities.forEach((hazard, p) -> hazards.put(hazard, new Probability(Math.min(1, p))));
        double named = probabilities.values().stream().mapToDouble(p -> p).sum();
        double unsafe = named + Math.max(0, 1 - named) * unnamedShare;
        return new Scored(new Probability(Math.min(1, unsafe)), hazards, Coverage.ofText(10));
    }

    /** With one hazard more probable by up to what is left to 1, and the whole no less unsafe. */
    Scored raised(Scored scored, Hazard hazard) {
        double named = scored.hazards().values().stream()
                .mapToDouble(Probability::value)
                .sum();
        double rise = Math.max(0, 1 - Math.max(named, scored.unsafe().value())) * random.nextDouble();
        Map<Hazard, Probability> hazards = new LinkedHashMap<>(scored.hazards());
        hazards.merge(hazard, new Probability(rise), (a, b) -> new Probability(Math.min(1, a.value() + b.value())));
        Probability unsafe = new Probability(Math.min(1, scored.unsafe().value() + rise));
        return new Scored(unsafe, hazards, scored.coverage());
    }

    /** The same of all hazards: some are named after others, so that they are as probable or more. */
    Scored ofAllHazards(Scored scored) {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        scored.hazards().forEach((hazard, p) -> {
            double more = Math.max(0, scored.unsafe().value() - p.value()) * Math.pow(random.nextDouble(), 3);
            hazards.put(hazard, new Probability(Math.min(1, p.value() + more)));
        });
        return new Scored(scored.unsafe(), hazards, scored.unnamed(), Meaning.ALL_HAZARDS, scored.coverage());
    }

    private Coverage coverage() {
        return random.nextInt(10) == 0
                ? new Coverage(Extent.NONE, new Extent(0, 1), List.of(new Unscanned("image", "here", "no eyes")))
                : Coverage.ofText(10);
    }

    /** The text with some of its characters removed, doubled or replaced. */
    String damaged(String text) {
        StringBuilder damaged = new StringBuilder(text);
        for (int i = 1 + random.nextInt(4); i > 0 && !damaged.isEmpty(); i--) {
            int at = random.nextInt(damaged.length());
            switch (random.nextInt(4)) {
                case 0 -> damaged.deleteCharAt(at);
                case 1 ->
                    damaged.insert(at, oneOf(List.of("&a ", "*a", "!x ", "- ", ": ", "\n", "{", "[", "\"", "\t", "#")));
                case 2 -> damaged.setCharAt(at, (char) random.nextInt(0x2100));
                default -> damaged.insert(at, damaged.substring(at, Math.min(damaged.length(), at + 20)));
            }
        }
        return damaged.toString();
    }
}
