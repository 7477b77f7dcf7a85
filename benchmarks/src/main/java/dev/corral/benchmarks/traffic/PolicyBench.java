package dev.corral.benchmarks.traffic;

import dev.corral.benchmarks.figures.Report;
import dev.corral.benchmarks.figures.Times;
import dev.corral.benchmarks.processes.JavaProcess;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.Beside;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.Facts;
import dev.corral.policies.policy.GuardSight;
import dev.corral.policies.policy.Policies;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.StandardHazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code corral bench policy}: what a large policy costs to read, to decide by, and to search texts by. */
@Command(
        name = "policy",
        mixinStandardHelpOptions = true,
        description = {
            "A policy of 5,000 lines, read for the first time; decisions by 200 rules about 30 hazards;",
            "20 pattern hazards on texts of 1,000 to 1,000,000 characters."
        })
public final class PolicyBench implements Callable<Integer> {

    private static final GuardSight SIGHT = new GuardSight(Taxonomy.LLAMA_GUARD_3, new Probability(0.5), 30);
    private static final double READ_LIMIT_MILLIS = 1_000;
    private static final double DECISION_LIMIT_MICROS = 50;
    private static final double PATTERNS_LIMIT_MILLIS = 2;
    private static final int RULES = 200;
    private static final int OWN_HAZARDS = 17;
    private static final int READINGS = 5;

    /** The launcher's options for {@code policy}. */
    private static final List<String> AS_POLICY_COMMANDS = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

    private static final List<String> EXPRESSIONS = List.of(
            "\\bE[0-9]{6}\\b",
            "[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,100}\\.[A-Za-z]{2,20}",
            "\\b\\d{3}-\\d{2}-\\d{4}\\b",
            "AKIA[0-9A-Z]{16}",
            "\\bghp_[A-Za-z0-9]{36}\\b",
            "(?i)password\\s{0,5}[:=]\\s{0,5}\\S{1,40}",
            "\\b(?:\\d{1,3}\\.){3}\\d{1,3}\\b",
            "\\+\\d{1,3} ?\\d{6,12}");
    private static final String TEXT = "The quick brown fox jumps over the lazy dog, and said to Mrs. Smith at 12:30:"
            + " please call me on 555 1234 tomorrow, or write to ann@example.com about 4111 1111 1111 1111. ";

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Report report = Report.of(spec);
        read(report);
        decide(report, compile(rules()));
        search(report, compile(patterns()));
        return report.exitCode();
    }

    private static void read(Report report) throws IOException {
        Times times = new Times(READINGS);
        for (int i = 0; i < READINGS; i++) {
            try (JavaProcess process = JavaProcess.start(AS_POLICY_COMMANDS, PolicyReading.class, List.of())) {
                times.add(Double.parseDouble(process.line()));
            }
        }
        report.times(
                "read and compile %,d lines, the first time"
                        .formatted(PolicyReading.policy().lines().count()),
                times,
                READ_LIMIT_MILLIS);
    }

    private static void decide(Report report, CompiledPolicy policy) {
        Random random = new Random(1);
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        List<Hazard> all = policy.hazards();
        all.forEach(hazard -> hazards.put(hazard, new Probability(random.nextDouble() * 0.02)));
        hazards.put(StandardHazard.S9, new Probability(0.6));
        List<Assessment> assessments = List.of(new Scored(new Probability(0.95), hazards, Coverage.NOTHING));
        Facts facts = new Facts(Direction.PROMPT, "desk-7", "acme", "llama", List.of("de"));
        int repetitions = 20_000;
        for (int i = 0; i < repetitions; i++) {
            policy.decide(assessments, facts);
        }
        Times times = new Times(repetitions);
        for (int i = 0; i < repetitions; i++) {
            long start = System.nanoTime();
            policy.decide(assessments, facts);
            times.addSince(start);
        }
        report.figure(
                "decide: %d rules, %d hazards".formatted(RULES, all.size()),
                times.medianMillis() * 1_000,
                "µs",
                DECISION_LIMIT_MICROS);
    }

    private static void search(Report report, CompiledPolicy policy) {
        for (int length : List.of(1_000, 10_000, 100_000, 1_000_000)) {
            String text = TEXT.repeat(length / TEXT.length() + 1).substring(0, length);
            int repetitions = Math.max(5, 2_000_000 / length);
            for (int i = 0; i < repetitions; i++) {
                policy.match(text);
            }
            Times times = new Times(repetitions);
            for (int i = 0; i < repetitions; i++) {
                long start = System.nanoTime();
                policy.match(text);
                times.addSince(start);
            }
            report.times(
                    "20 pattern hazards on %,d characters".formatted(length),
                    times,
                    PATTERNS_LIMIT_MILLIS * Math.max(1, length / 10_000.0));
        }
    }

    static CompiledPolicy compile(String text) {
        return Policies.compile(text, "bench.yaml", Beside.NOTHING, SIGHT);
    }

    private static String rules() {
        StringBuilder policy = new StringBuilder("policy: bench\nversion: 1\nhazards:\n");
        for (int i = 0; i < OWN_HAZARDS; i++) {
            policy.append("  own-%d: { name: Own %d, description: What is meant by %d. }\n".formatted(i, i, i));
        }
        policy.append("rules:\n");
        for (int i = 0; i < RULES; i++) {
            String hazard = i % 2 == 0 ? "S" + (1 + i / 2 % 13) : "own-" + i / 2 % OWN_HAZARDS;
            policy.append(
                    "  - { id: r%d, when: { hazard: %s, route: \"desk-%d\" }, then: flag }\n".formatted(i, hazard, i));
        }
        return policy.toString();
    }

    private static String patterns() {
        StringBuilder policy = new StringBuilder("policy: bench\nversion: 1\nhazards:\n");
        policy.append("  cards: { name: Cards, numbers: card }\n  ibans: { name: Ibans, numbers: iban }\n");
        for (int i = 0; i < 8; i++) {
            policy.append(
                    "  words-%d: { name: Words, keywords: [falcon %d, raven %d, heron %d] }\n".formatted(i, i, i, i));
        }
        for (int i = 0; i < 10; i++) {
            policy.append("  expression-%d: { name: Expression, patterns: ['%s'] }\n"
                    .formatted(i, EXPRESSIONS.get(i % EXPRESSIONS.size())));
        }
        return policy.toString();
    }
}
