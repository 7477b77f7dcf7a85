package dev.corral.guardmodels.assess;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.guardmodels.assess.JsonLines.BrokenLineException;
import dev.corral.guardmodels.conversation.Conversation;
import dev.corral.guardmodels.conversation.Role;
import dev.corral.guardmodels.conversation.Turn;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.GuardLoader;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.onnx.ModelException;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.store.UnusableGuardException;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
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
                        + " 'response'; the last is judged. May be packed (.xz). Prints a line of JSON for each.")
        private @Nullable Path data;
    }

    AssessCommand(GuardLoader loader, InputStream stdin) {
        this.loader = loader;
        this.stdin = stdin;
    }

    /** {@code corral assess}. */
    public static void main(String[] args) {
        runAndExit(new AssessCommand(onThisMachine(), System.in), args);
    }

    /** Runs a command as a program: standard output holds what it prints and no library's log. */
    static void runAndExit(Callable<Integer> command, String[] args) {
        System.setProperty("slf4j.provider", "org.slf4j.helpers.NOP_FallbackServiceProvider");
        System.setProperty("slf4j.internal.verbosity", "ERROR");
        System.exit(commandLine(command).execute(args));
    }

    /** The guard of this machine, with all its cores for one text at a time. */
    static GuardLoader onThisMachine() {
        int threads = Runtime.getRuntime().availableProcessors();
        return directory -> OnnxGuard.load(directory, Resources.oneLane(threads));
    }

    /** A command whose failures are a line for people, not a stack trace. */
    static CommandLine commandLine(Callable<Integer> command) {
        CommandLine corral = new CommandLine(command);
        return corral.setCommandName("corral " + corral.getCommandName())
                .setExecutionExceptionHandler((failure, line, _) -> {
                    switch (failure) {
                        case UnusableGuardException _, ModelException _, IOException _ ->
                            line.getErr().println(line.getColorScheme().errorText(describe(failure)));
                        default -> throw failure;
                    }
                    return 1;
                });
    }

    private static String describe(Exception failure) {
        return switch (failure) {
            case NoSuchFileException missing -> "there is no file " + missing.getFile();
            default -> String.valueOf(failure.getMessage());
        };
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
                    JsonLines.Line line = lines.next();
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
                    err().println(data + " " + e.getMessage());
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
            }
            case Inconclusive inconclusive ->
                json.put("inconclusive", inconclusive.reason().name().toLowerCase(Locale.ROOT))
                        .put("detail", inconclusive.detail());
        }
        return json;
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
