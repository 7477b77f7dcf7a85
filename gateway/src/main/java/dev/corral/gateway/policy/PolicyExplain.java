package dev.corral.gateway.policy;

import dev.corral.gateway.policy.Report.Entry;
import dev.corral.gateway.policy.Report.Level;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.ContentSource;
import dev.corral.policies.policy.Decision;
import dev.corral.policies.policy.Direction;
import dev.corral.policies.policy.Explanation;
import dev.corral.policies.policy.Facts;
import dev.corral.policies.policy.Policies;
import dev.corral.policies.policy.Policy;
import dev.corral.policies.policy.SourceLocation;
import dev.corral.policies.taxonomy.Hazard;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code corral policy explain}. */
@Command(
        name = "explain",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100,
        description = {"Says what a policy decides about a text, by which rule, and what would change it."})
final class PolicyExplain implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "The policy.")
    private @Nullable Path file;

    @ArgGroup(multiplicity = "1")
    private @Nullable Content content;

    @Option(
            names = "--given",
            split = ",",
            paramLabel = "HAZARD=P",
            description = "Probabilities that stand for the guard's, such as S2=0.6 (default: the guard is asked).")
    private Map<String, Double> given = new LinkedHashMap<>();

    @Option(names = "--route", description = "The route.")
    private String route = "";

    @Option(names = "--tenant", description = "The tenant.")
    private String tenant = "";

    @Option(names = "--model", description = "The model.")
    private String model = "";

    @Option(names = "--language", split = ",", description = "Languages that the client accepts.")
    private List<String> languages = List.of();

    @Option(names = "--format", description = "${COMPLETION-CANDIDATES} (default: text).")
    private Format format = Format.text;

    @Mixin
    private final GuardChoice guard = new GuardChoice();

    /** What is said. */
    static final class Content {

        @Option(names = "--prompt", description = "What a user says.")
        private @Nullable String prompt;

        @Option(names = "--completion", description = "What a model answers.")
        private @Nullable String completion;
    }

    @Override
    public Integer call() {
        Content said = Objects.requireNonNull(content);
        CompiledPolicy policy = Policies.load(Objects.requireNonNull(file), guard.sight());
        boolean isPrompt = said.prompt != null;
        String text = Objects.requireNonNull(isPrompt ? said.prompt : said.completion);
        Facts facts = new Facts(isPrompt ? Direction.PROMPT : Direction.COMPLETION, route, tenant, model, languages);
        ContentSource source = isPrompt ? ContentSource.USER : ContentSource.ASSISTANT;
        Explanation explanation = Explanation.of(policy, text, scored(policy, text, isPrompt), source, facts);
        switch (format) {
            case text -> print(policy, explanation);
            case json -> out().println(Report.write(json(policy, explanation)));
            case sarif -> out().println(Report.sarif(List.of(entry(policy, explanation.decision()))));
        }
        out().flush();
        return 0;
    }

    private Scored scored(CompiledPolicy policy, String text, boolean isPrompt) {
        if (given.isEmpty()) {
            try (LiveGuard live = new LiveGuard(guard)) {
                return switch (live.assess(policy, text, isPrompt)) {
                    case Scored scored -> scored;
                    case Inconclusive inconclusive ->
                        throw new IllegalStateException("the guard came to no verdict: " + inconclusive.detail());
                };
            }
        }
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        given.forEach((code, p) -> {
            Hazard hazard = policy.hazard(code)
                    .orElseThrow(() -> usage("there is no hazard '" + code + "': write one of "
                            + policy.hazards().stream().map(Hazard::code).collect(Collectors.joining(", "))));
            if (!(p >= 0 && p <= 1)) {
                throw usage("a probability must be between 0 and 1: " + p);
            }
            hazards.put(hazard, new Probability(p));
        });
        double unsafe =
                hazards.values().stream().mapToDouble(Probability::value).sum();
        if (unsafe > 1 + 1e-9) {
            throw usage("the probabilities of a guard exclude each other, and these add up to more than 1");
        }
        return new Scored(new Probability(Math.min(1, unsafe)), hazards, Coverage.ofText(text.length()));
    }

    private ParameterException usage(String message) {
        return new ParameterException(Objects.requireNonNull(spec).commandLine(), message);
    }

    private void print(CompiledPolicy policy, Explanation explanation) {
        Decision decision = explanation.decision();
        out().println(policy.revision() + ": " + Report.word(decision.outcome()));
        out().println(decision.explanation());
        decision.findings()
                .forEach(finding -> out().println("  " + finding.hazard().code() + " ("
                        + finding.hazard().displayName() + "): "
                        + Report.number(finding.probability().value()) + ", threshold "
                        + Report.number(finding.threshold().value())));
        if (!explanation.changes().isEmpty()) {
            out().println("What would change it:");
            explanation
                    .changes()
                    .forEach(change -> out().println("  " + change.hazard().code() + " at " + Report.number(change.to())
                            + " in place of " + Report.number(change.from()) + ": " + Report.word(change.outcome())
                            + (change.rules().isEmpty() ? "" : " by " + String.join(", ", change.rules()))));
        }
    }

    /** The decision, at the rule that it is by. */
    private static Entry entry(CompiledPolicy policy, Decision decision) {
        SourceLocation place = policy.policy().rules().stream()
                .filter(rule -> decision.ruleIds().contains(rule.id()))
                .map(Policy.Rule::location)
                .findFirst()
                .orElse(new SourceLocation(policy.policy().source().origin(), 0, 0));
        return new Entry(
                "EXPLAIN",
                Level.note,
                Report.word(decision.outcome()) + ". " + decision.explanation(),
                place.origin(),
                place.line(),
                place.column());
    }

    private static ObjectNode json(CompiledPolicy policy, Explanation explanation) {
        Decision decision = explanation.decision();
        ObjectNode json = Report.JSON
                .objectNode()
                .put("policy", policy.revision())
                .put("decision", Report.word(decision.outcome()))
                .put("explanation", decision.explanation());
        decision.ruleIds().forEach(json.putArray("rules")::add);
        ArrayNode changes = json.putArray("changes");
        explanation
                .changes()
                .forEach(change -> changes.addObject()
                        .put("hazard", change.hazard().code())
                        .put("from", change.from())
                        .put("to", change.to())
                        .put("decision", Report.word(change.outcome())));
        return json;
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
