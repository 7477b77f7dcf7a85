package dev.corral.gateway.policy;

import dev.corral.gateway.policy.Report.Entry;
import dev.corral.policies.policy.Decision.Outcome;
import dev.corral.policies.policy.GuardSight;
import dev.corral.policies.policy.Policies;
import dev.corral.policies.policy.PolicyDiff;
import dev.corral.policies.policy.PolicyDiff.Difference;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;

/** {@code corral policy diff}. */
@Command(
        name = "diff",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100,
        description = {
            "Finds inputs that two policies decide differently, each by its smallest example.",
            "Exit code 0: none was found; 1: they differ."
        })
final class PolicyDiffCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(index = "0", paramLabel = "BEFORE", description = "A policy.")
    private @Nullable Path before;

    @Parameters(index = "1", paramLabel = "AFTER", description = "Another one.")
    private @Nullable Path after;

    @Option(names = "--format", description = "${COMPLETION-CANDIDATES} (default: text).")
    private Format format = Format.text;

    @Mixin
    private final GuardChoice guard = new GuardChoice();

    @Override
    public Integer call() {
        GuardSight sight = guard.sight();
        List<Difference> differences = PolicyDiff.between(
                Policies.load(Objects.requireNonNull(before), sight),
                Policies.load(Objects.requireNonNull(after), sight));
        switch (format) {
            case text -> {
                differences.forEach(difference -> out().println(sentence(difference)));
                out().println(differences.size() + (differences.size() == 1 ? " difference" : " differences"));
            }
            case json -> {
                ArrayNode json = Report.JSON.arrayNode();
                differences.forEach(difference -> json.addObject()
                        .put("direction", Report.word(difference.facts().direction()))
                        .put("source", difference.source().word())
                        .put("tool", difference.tool())
                        .put("route", difference.facts().route())
                        .put("tenant", difference.facts().tenant())
                        .put("model", difference.facts().model())
                        .put("before", Report.word(difference.before()))
                        .put("after", Report.word(difference.after()))
                        .put("example", example(difference)));
                out().println(Report.write(json));
            }
            case sarif ->
                out().println(Report.sarif(differences.stream()
                        .map(difference -> new Entry("DIFF", false, sentence(difference), String.valueOf(after), 0, 0))
                        .toList()));
        }
        out().flush();
        return differences.isEmpty() ? 0 : 1;
    }

    private static String sentence(Difference difference) {
        StringBuilder sentence = new StringBuilder(
                        Report.word(difference.facts().direction()))
                .append(" from ")
                .append(difference.source().word());
        append(sentence, "tool", difference.tool());
        append(sentence, "route", difference.facts().route());
        append(sentence, "tenant", difference.facts().tenant());
        append(sentence, "model", difference.facts().model());
        append(sentence, "language", String.join(",", difference.facts().languages()));
        return sentence.append(", ")
                .append(example(difference))
                .append(": ")
                .append(decided(difference.before(), difference.rulesBefore()))
                .append(" → ")
                .append(decided(difference.after(), difference.rulesAfter()))
                .toString();
    }

    private static void append(StringBuilder sentence, String name, String value) {
        if (!value.isEmpty()) {
            sentence.append(", ").append(name).append(' ').append(value);
        }
    }

    private static String example(Difference difference) {
        String hazards = difference.hazards().entrySet().stream()
                .map(entry -> entry.getKey().code() + " " + Report.number(entry.getValue()))
                .collect(Collectors.joining(" and "));
        double least = difference.hazards().values().iterator().next();
        return difference.hazards().size() == 1 && difference.upTo() > least
                ? hazards + " to " + Report.number(difference.upTo())
                : hazards;
    }

    private static String decided(Outcome outcome, List<String> rules) {
        return Report.word(outcome) + (rules.isEmpty() ? "" : " (" + String.join(", ", rules) + ")");
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
