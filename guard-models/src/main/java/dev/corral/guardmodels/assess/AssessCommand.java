package dev.corral.guardmodels.assess;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.dataset.BrokenLineException;
import dev.corral.guardmodels.dataset.JsonLines;
import dev.corral.guardmodels.dataset.Line;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.GuardLoader;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Judges a text, or every line of a file, and prints the probabilities. */
@Command(
        name = "assess",
        sortOptions = false,
        usageHelpWidth = 100,
        description = {
            "Judges a text, or every line of a file, and prints the guard's probabilities.",
            "No policy is applied: this is what a policy's thresholds are compared with."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:everything was judged", "1:a guard, a file or a line could not be used", "2:wrong options"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  corral assess 'How do I bake bread?'",
            "  echo 'How do I bake bread?' | corral assess -",
            "  corral assess --data conversations.jsonl.xz > probabilities.jsonl"
        })
public final class AssessCommand implements Callable<Integer> {

    private static final JsonMapper JSON = new JsonMapper();

    private final GuardLoader loader;
    private final InputStream stdin;

    @Mixin
    private final GuardOption guard = new GuardOption();

    @Option(names = "--json", description = "print JSON for a text, too")
    private boolean json;

    @ArgGroup(multiplicity = "1")
    private @Nullable Content content;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "print this help")
    @SuppressWarnings("UnusedVariable") // picocli reads the annotation
    private boolean help;

    @Spec
    private @Nullable CommandSpec spec;

    /** What to judge. */
    static final class Content {

        @Parameters(arity = "1", paramLabel = "TEXT", description = "what a user says; - reads it from standard input")
        private @Nullable String text;

        @Option(
                names = "--data",
                paramLabel = "FILE",
                description = "JSON lines: objects with 'text', or 'turns' of 'role' and 'content', and optionally"
                        + " 'response'; the last is judged. May be packed (.gz, .xz). Prints a line of JSON for each.")
        private @Nullable Path data;
    }

    AssessCommand(GuardLoader loader, InputStream stdin) {
        this.loader = loader;
        this.stdin = stdin;
    }

    /** {@code corral assess}. */
    public static void main(String[] args) {
        int threads = Runtime.getRuntime().availableProcessors();
        Program.runAndExit(
                new AssessCommand(directory -> OnnxGuard.load(directory, Resources.oneLane(threads)), System.in), args);
    }

    @Override
    public Integer call() throws IOException {
        Content given = Objects.requireNonNull(content);
        try (Guard model = guard.load(loader)) {
            if (given.data != null) {
                return assessFile(model, given.data);
            }
            String text = Objects.requireNonNull(given.text);
            return assessText(model, text.equals("-") ? new String(stdin.readAllBytes(), UTF_8) : text);
        }
    }

    private int assessText(Guard model, String text) {
        Assessment assessment = model.assess(new Conversation(List.of(Turn.of(Role.USER, text))));
        if (json) {
            out().println(json(assessment));
        } else {
            print(model, assessment);
        }
        out().flush();
        return assessment instanceof Scored ? 0 : 1;
    }

    private int assessFile(Guard model, Path data) throws IOException {
        int code = 0;
        try (JsonLines lines = JsonLines.open(data)) {
            boolean more = true;
            while (more) {
                try {
                    Line line = lines.next();
                    more = line != null;
                    if (line != null) {
                        Assessment assessment = model.assess(line.conversation());
                        ObjectNode result = json(assessment);
                        out().println(JSON.createObjectNode()
                                .put("line", line.number())
                                .setAll(result));
                        code = assessment instanceof Scored ? code : 1;
                    }
                } catch (BrokenLineException e) {
                    err().println(e.getMessage());
                    code = 1;
                }
            }
        }
        out().flush();
        return code;
    }

    private static ObjectNode json(Assessment assessment) {
        ObjectNode json = JSON.createObjectNode();
        switch (assessment) {
            case Scored scored -> {
                json.put("unsafe", rounded(scored.unsafe()));
                ObjectNode hazards = json.putObject("hazards");
                scored.hazards().forEach((hazard, probability) -> hazards.put(hazard.code(), rounded(probability)));
                if (scored.unnamed().value() > 0) {
                    json.put("unnamed", rounded(scored.unnamed()));
                }
                json.put("meaning", label(scored.meaning()));
            }
            case Inconclusive inconclusive ->
                json.put("inconclusive", inconclusive.reason().name().toLowerCase(Locale.ROOT))
                        .put("detail", inconclusive.detail());
        }
        return json;
    }

    private static String label(Meaning meaning) {
        return meaning.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String sentence(Meaning meaning) {
        return switch (meaning) {
            case FIRST_HAZARD -> "Each hazard: that the content is unsafe and this is the one named first.";
            case ALL_HAZARDS -> "Each hazard: that the content is unsafe and this is one of those named.";
            case VERDICT -> "The guard gave a verdict and no probabilities: 1 is what it said.";
        };
    }

    private static BigDecimal rounded(Probability probability) {
        return BigDecimal.valueOf(probability.value()).setScale(5, RoundingMode.HALF_EVEN);
    }

    private void print(Guard model, Assessment assessment) {
        switch (assessment) {
            case Scored scored -> {
                line("unsafe", "", scored.unsafe());
                scored.hazards().entrySet().stream()
                        .sorted(Map.Entry.<Hazard, Probability>comparingByValue()
                                .reversed())
                        .forEach(entry -> line(
                                "  " + entry.getKey().code(), entry.getKey().displayName(), entry.getValue()));
                out().printf(
                                Locale.ROOT,
                                "%nGuard %s; it is recommended to call %.2f and more unsafe.%n",
                                model.profile().id(),
                                model.profile().recommendedThreshold().value());
                out().println(sentence(scored.meaning()));
            }
            case Inconclusive inconclusive ->
                err().println("no verdict (" + inconclusive.reason().name().toLowerCase(Locale.ROOT) + "): "
                        + inconclusive.detail());
        }
    }

    private void line(String code, String name, Probability probability) {
        String bar = "#".repeat((int) Math.round(probability.value() * 20));
        out().println(String.format(Locale.ROOT, "%-7s%-24s%.4f  %s", code, name, probability.value(), bar)
                .stripTrailing());
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }

    private PrintWriter err() {
        return Objects.requireNonNull(spec).commandLine().getErr();
    }
}
