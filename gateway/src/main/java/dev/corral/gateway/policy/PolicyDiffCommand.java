package dev.corral.gateway.policy;

import dev.corral.gateway.policy.Report.Entry;
import dev.corral.gateway.policy.Report.Level;
import dev.corral.policies.policy.Difference;
import dev.corral.policies.policy.Difference.Effect;
import dev.corral.policies.policy.Difference.OfDecision;
import dev.corral.policies.policy.Difference.OfSetting;
import dev.corral.policies.policy.GuardSight;
import dev.corral.policies.policy.Messages;
import dev.corral.policies.policy.Policies;
import dev.corral.policies.policy.PolicyDiff;
import dev.corral.policies.taxonomy.Hazard;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code corral policy diff}. */
@Command(
        name = "diff",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100,
        description = {
            "Tells what two policies do differently: inputs that they decide differently, each by its smallest example,",
            "and what else they say. Names, versions and tests are no difference.",
            "Exit code 0: none was found; 1: they differ."
        })
final class PolicyDiffCommand implements Callable<Integer> {

    private static final double ROUNDING = 1e-9;
    private static final int MOST_SHOWN = 5;

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
                differences.forEach(difference -> json.add(object(difference)));
                out().println(Report.write(json));
            }
            case sarif ->
                out().println(Report.sarif(differences.stream()
                        .map(difference ->
                                new Entry("DIFF", Level.warning, sentence(difference), String.valueOf(after), 0, 0))
                        .toList()));
        }
        out().flush();
        return differences.isEmpty() ? 0 : 1;
    }

    private static ObjectNode object(Difference difference) {
        ObjectNode object = Report.JSON.objectNode();
        switch (difference) {
            case OfDecision decision -> {
                object.put("kind", "decision")
                        .put("direction", Report.word(decision.facts().direction()))
                        .put("source", decision.source().word())
                        .put("tool", decision.tool())
                        .put("route", decision.facts().route())
                        .put("tenant", decision.facts().tenant())
                        .put("model", decision.facts().model())
                        .put("language", String.join(",", decision.facts().languages()))
                        .put("content", decision.hash())
                        .put("example", example(decision));
                ArrayNode alike = object.putArray("alike");
                decision.alike().forEach(hazard -> alike.add(hazard.code()));
                put(object.putObject("before"), decision.before());
                put(object.putObject("after"), decision.after());
            }
            case OfSetting setting -> {
                object.put("kind", "setting").put("key", setting.key());
                setting.before().forEach(object.putArray("before")::add);
                setting.after().forEach(object.putArray("after")::add);
            }
        }
        return object;
    }

    private static void put(ObjectNode object, Effect effect) {
        object.put("decision", Report.word(effect.outcome()));
        effect.rules().forEach(object.putArray("rules")::add);
        effect.message().ifPresent(message -> message.texts().forEach(object.putObject("message")::put));
        effect.audit().ifPresent(audit -> object.put("audit", Report.word(audit)));
    }

    private static String sentence(Difference difference) {
        return switch (difference) {
            case OfDecision decision -> sentence(decision);
            case OfSetting setting -> setting.key() + ": " + change(setting.before(), setting.after());
        };
    }

    private static String sentence(OfDecision difference) {
        StringBuilder sentence = new StringBuilder(
                        Report.word(difference.facts().direction()))
                .append(" from ")
                .append(difference.source().word());
        append(sentence, "tool", difference.tool());
        append(sentence, "route", difference.facts().route());
        append(sentence, "tenant", difference.facts().tenant());
        append(sentence, "model", difference.facts().model());
        append(sentence, "language", String.join(",", difference.facts().languages()));
        append(sentence, "content", difference.hash());
        sentence.append(", ").append(example(difference));
        if (!difference.alike().isEmpty()) {
            sentence.append(" (also ")
                    .append(difference.alike().stream().map(Hazard::code).collect(Collectors.joining(", ")))
                    .append(')');
        }
        boolean told = !difference.before().message().equals(difference.after().message());
        boolean kept = !difference.before().audit().equals(difference.after().audit());
        return sentence.append(": ")
                .append(decided(difference.before(), told, kept))
                .append(" → ")
                .append(decided(difference.after(), told, kept))
                .toString();
    }

    private static void append(StringBuilder sentence, String name, String value) {
        if (!value.isEmpty()) {
            sentence.append(", ").append(name).append(' ').append(value);
        }
    }

    private static String example(OfDecision difference) {
        String hazards = difference.hazards().entrySet().stream()
                .map(entry -> entry.getKey().code() + " " + Report.number(entry.getValue()))
                .collect(Collectors.joining(" and "));
        double sum = difference.hazards().values().stream().mapToDouble(p -> p).sum();
        double least = difference.hazards().values().iterator().next();
        String upTo = difference.hazards().size() == 1 && difference.upTo() > least
                ? " to " + Report.number(difference.upTo())
                : "";
        return hazards
                + upTo
                + (difference.unsafe() > sum + ROUNDING ? ", unsafe " + Report.number(difference.unsafe()) : "");
    }

    private static String decided(Effect effect, boolean told, boolean kept) {
        return Report.word(effect.outcome())
                + (effect.rules().isEmpty() ? "" : " (" + String.join(", ", effect.rules()) + ")")
                + (told ? " " + effect.message().map(PolicyDiffCommand::words).orElse("without a message") : "")
                + (kept ? ", audit " + effect.audit().map(Report::word).orElse("as the policy says") : "");
    }

    private static String words(Messages messages) {
        return messages.texts().entrySet().stream()
                .map(entry -> (entry.getKey().isEmpty() ? "" : entry.getKey() + ": ") + '"' + entry.getValue() + '"')
                .collect(Collectors.joining(", "));
    }

    /** One value in place of another; of several, those that are new and those that are gone. */
    private static String change(List<String> before, List<String> after) {
        if (before.size() <= 1 && after.size() <= 1) {
            return some(before) + " → " + some(after);
        }
        List<String> gone =
                before.stream().filter(value -> !after.contains(value)).toList();
        List<String> added =
                after.stream().filter(value -> !before.contains(value)).toList();
        return gone.isEmpty() && added.isEmpty()
                ? some(before) + " → " + some(after)
                : Stream.of(added.isEmpty() ? "" : "with " + some(added), gone.isEmpty() ? "" : "without " + some(gone))
                        .filter(part -> !part.isEmpty())
                        .collect(Collectors.joining(", "));
    }

    private static String some(List<String> values) {
        int more = values.size() - MOST_SHOWN;
        return values.isEmpty()
                ? "nothing"
                : values.stream().limit(MOST_SHOWN).collect(Collectors.joining(", "))
                        + (more > 0 ? " and " + more + " more" : "");
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
