package dev.corral.policies.policy;

import dev.corral.policies.policy.Policy.Range;
import dev.corral.policies.taxonomy.Hazard;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The rules of a policy, by hazard. Immutable. */
final class RuleBook {

    /*
     * First match wins, but not at the cost of the law that a stronger finding is never treated more kindly than a weaker
     * one: 'flag from 0.8 on, else block' would let through at 0.9 what it blocks at 0.6. So the rules are asked for the
     * finding itself and for every weaker one, and the strictest answer counts. Answers change at finitely many numbers
     * only, those that rules name; without such numbers there is one question.
     */

    private final Map<Hazard, Page> pages = new HashMap<>();
    private final Page others;

    /** The rules for one hazard, and where their answers may change. */
    private record Page(List<CompiledRule> rules, List<Double> probabilities, List<Double> unsafes) {

        static Page of(List<CompiledRule> rules) {
            SortedSet<Double> probabilities = new TreeSet<>();
            SortedSet<Double> unsafes = new TreeSet<>();
            for (CompiledRule rule : rules) {
                if (!rule.probability().equals(Range.ALL)) {
                    probabilities.add(rule.probability().atLeast());
                    probabilities.add(rule.probability().below());
                }
                rule.condition().ifPresent(condition -> {
                    probabilities.addAll(condition.probabilitySteps());
                    unsafes.addAll(condition.unsafeSteps());
                });
            }
            return new Page(rules, representatives(probabilities), representatives(unsafes));
        }

        /** One number for each part of the line between the steps, and each step. */
        private static List<Double> representatives(SortedSet<Double> steps) {
            return steps.isEmpty()
                    ? List.of()
                    : Stream.concat(Stream.of(0.0), steps.stream().flatMap(step -> Stream.of(step, Math.nextUp(step))))
                            .toList();
        }
    }

    RuleBook(List<CompiledRule> rules, Collection<Hazard> hazards) {
        for (Hazard hazard : hazards) {
            pages.put(
                    hazard,
                    Page.of(rules.stream().filter(rule -> rule.isAbout(hazard)).toList()));
        }
        others = Page.of(rules.stream().filter(rule -> rule.hazards().isEmpty()).toList());
    }

    /** The rule that decides about a finding; {@link CompiledRule#NONE} where no rule is for it. */
    CompiledRule rule(Hazard hazard, Facts facts, Evidence evidence, double probability, double unsafe) {
        Page page = pages.getOrDefault(hazard, others);
        @Nullable CompiledRule strictest = null;
        for (ContentSource source : evidence.sources()) {
            for (String tool : evidence.tools(source)) {
                CompiledRule rule = strictest(page, hazard, facts, source, tool, evidence.hash(), probability, unsafe);
                if (strictest == null || rule.action().compareTo(strictest.action()) > 0) {
                    strictest = rule;
                }
            }
        }
        return strictest == null ? CompiledRule.NONE : strictest;
    }

    private static CompiledRule strictest(
            Page page,
            Hazard hazard,
            Facts facts,
            ContentSource source,
            String tool,
            ContentHash hash,
            double probability,
            double unsafe) {
        CompiledRule strictest = first(page, hazard, facts, source, tool, hash, probability, unsafe);
        for (double p : page.probabilities) {
            if (p < probability) {
                strictest = stricter(strictest, first(page, hazard, facts, source, tool, hash, p, unsafe));
            }
        }
        for (double u : page.unsafes) {
            if (u < unsafe) {
                strictest = stricter(strictest, first(page, hazard, facts, source, tool, hash, probability, u));
                for (double p : page.probabilities) {
                    if (p < probability) {
                        strictest = stricter(strictest, first(page, hazard, facts, source, tool, hash, p, u));
                    }
                }
            }
        }
        return strictest;
    }

    private static CompiledRule stricter(CompiledRule rule, CompiledRule other) {
        return other.action().compareTo(rule.action()) > 0 ? other : rule;
    }

    private static CompiledRule first(
            Page page,
            Hazard hazard,
            Facts facts,
            ContentSource source,
            String tool,
            ContentHash hash,
            double probability,
            double unsafe) {
        for (CompiledRule rule : page.rules) {
            if (rule.matches(hazard, facts, source, tool, hash, probability, unsafe)) {
                return rule;
            }
        }
        return CompiledRule.NONE;
    }
}
