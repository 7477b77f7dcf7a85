package dev.corral.guardmodels.assess;

import dev.corral.guardmodels.assess.JsonLines.BrokenLineException;
import dev.corral.guardmodels.assess.Metrics.Rating;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.GuardLoader;
import dev.corral.policies.assessment.Assessment;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Judges labelled texts and prints how often the guard is right. */
@Command(
        name = "evaluate",
        sortOptions = false,
        usageHelpWidth = 100,
        description =
                "Judges labelled texts and prints how often the guard is right: for all of them, for each set and for"
                        + " those in English.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:everything was judged",
            "1:a guard or a file could not be used, or a text got no verdict",
            "2:wrong options"
        },
        footerHeading = "%nExample:%n",
        footer = "  corral evaluate --data eval.jsonl.xz --limit 500")
public final class EvaluateCommand implements Callable<Integer> {

    private static final JsonMapper JSON = new JsonMapper();
    private static final int PROGRESS_STEP = 20;

    private final GuardLoader loader;

    @Mixin
    private final GuardOption guard = new GuardOption();

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FILE",
            description =
                    "JSON lines: objects with 'text', or 'turns' of 'role' and 'content', and optionally 'response';"
                            + " 'label' (safe or unsafe) of the last, 'set', and optionally 'lang' and 'categories' (hazard"
                            + " codes). May be packed (.xz).")
    private @Nullable Path data;

    @Option(
            names = "--expected",
            paramLabel = "FILE",
            description = "JSON array with another model's P(unsafe) of each line, to compare with")
    private @Nullable Path expected;

    @Option(names = "--limit", paramLabel = "N", description = "judge the first N lines only")
    private int limit = Integer.MAX_VALUE;

    @Option(
            names = "--threshold",
            paramLabel = "T",
            description = "call T and more unsafe, 0 to 1; the guard's own recommendation if not given")
    private @Nullable Double threshold;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "print this help")
    @SuppressWarnings("UnusedVariable") // picocli reads the annotation
    private boolean help;

    @Spec
    private @Nullable CommandSpec spec;

    EvaluateCommand(GuardLoader loader) {
        this.loader = loader;
    }

    /** {@code corral evaluate}. */
    public static void main(String[] args) {
        AssessCommand.runAndExit(new EvaluateCommand(AssessCommand.onThisMachine()), args);
    }

    /** A labelled text of the file. */
    private record Sample(String set, boolean unsafe, boolean english, List<String> categories, JsonLines.Line line) {

        static Sample of(JsonLines.Line line) throws BrokenLineException {
            String label = line.text("label");
            if (!label.equals("safe") && !label.equals("unsafe")) {
                throw new BrokenLineException(line.number(), "'label' must be safe or unsafe: '" + label + "'");
            }
            return new Sample(
                    line.text("set"),
                    label.equals("unsafe"),
                    line.json().path("lang").stringValue("").equals("en"),
                    StreamSupport.stream(line.json().path("categories").spliterator(), false)
                            .map(code -> code.stringValue(""))
                            .toList(),
                    line);
        }
    }

    /** A sample and what the guard said. */
    private record Judged(Sample sample, Scored scored) {

        Rating rating() {
            return new Rating(scored.unsafe().value(), sample.unsafe());
        }

        boolean firstHazardIsRight() {
            return scored.hazards().entrySet().stream()
                    .max(Map.Entry.<Hazard, Probability>comparingByValue())
                    .filter(first -> sample.categories().contains(first.getKey().code()))
                    .isPresent();
        }
    }

    @Override
    public Integer call() throws IOException {
        if (threshold != null && !(threshold >= 0 && threshold <= 1)) {
            throw wrong("--threshold must be between 0 and 1: " + threshold);
        }
        if (limit < 1) {
            throw wrong("--limit must be at least 1: " + limit);
        }
        List<Sample> samples = samples();
        double[] others = expected == null ? new double[0] : expected(expected, samples.size());
        try (Guard model = guard.load(loader)) {
            double least =
                    threshold == null ? model.profile().recommendedThreshold().value() : threshold;
            return evaluate(model, samples, others, least);
        }
    }

    private ParameterException wrong(String message) {
        return new ParameterException(Objects.requireNonNull(spec).commandLine(), message);
    }

    private List<Sample> samples() throws IOException {
        Path file = Objects.requireNonNull(data);
        List<Sample> samples = new ArrayList<>();
        try (JsonLines lines = JsonLines.open(file)) {
            for (JsonLines.Line line = lines.next(); line != null && samples.size() < limit; line = lines.next()) {
                samples.add(Sample.of(line));
            }
        } catch (BrokenLineException e) {
            throw new IOException(file + " " + e.getMessage(), e);
        }
        if (samples.isEmpty()) {
            throw new IOException(file + " has no lines");
        }
        return samples;
    }

    private static double[] expected(Path file, int count) throws IOException {
        JsonNode array;
        try {
            array = JSON.readTree(Files.readAllBytes(file));
        } catch (JacksonException e) {
            throw new IOException(file + " is not valid JSON: " + e.getOriginalMessage(), e);
        }
        if (!array.isArray() || array.size() < count) {
            throw new IOException(
                    file + " must be an array of at least " + count + " probabilities, one for each line: "
                            + (array.isArray() ? array.size() + " there are" : "it is no array"));
        }
        for (JsonNode element : array) {
            if (!element.isNumber()) {
                throw new IOException(file + " must hold numbers only: " + element);
            }
        }
        return IntStream.range(0, count)
                .mapToDouble(i -> array.get(i).doubleValue())
                .toArray();
    }

    private int evaluate(Guard model, List<Sample> samples, double[] others, double least) {
        List<Judged> judged = new ArrayList<>();
        List<double[]> pairs = new ArrayList<>();
        int without = 0;
        for (int i = 0; i < samples.size(); i++) {
            progress(i, samples.size());
            Assessment assessment = model.assess(samples.get(i).line().conversation());
            switch (assessment) {
                case Scored scored -> {
                    judged.add(new Judged(samples.get(i), scored));
                    if (others.length > 0) {
                        pairs.add(new double[] {scored.unsafe().value(), others[i]});
                    }
                }
                case Inconclusive inconclusive -> {
                    without++;
                    err().println("line " + samples.get(i).line().number() + " got no verdict: "
                            + inconclusive.detail());
                }
            }
        }
        progress(samples.size(), samples.size());
        out().printf(
                        Locale.ROOT,
                        "Guard %s, threshold %.2f%n%n",
                        model.profile().id(),
                        least);
        table(judged, least);
        hazards(judged);
        agreement(pairs, least);
        out().flush();
        return without == 0 ? 0 : 1;
    }

    private void table(List<Judged> judged, double least) {
        out().println("| set | rows | unsafe | AUC | F1 | recall | FPR |");
        out().println("|---|---|---|---|---|---|---|");
        row("all", judged, _ -> true, least);
        Map<String, List<Judged>> sets = new TreeMap<>();
        judged.forEach(one ->
                sets.computeIfAbsent(one.sample().set(), _ -> new ArrayList<>()).add(one));
        sets.forEach((set, rows) -> row(set, rows, _ -> true, least));
        row("English", judged, one -> one.sample().english(), least);
    }

    private void row(String name, List<Judged> judged, Predicate<Judged> which, double least) {
        Metrics metrics =
                Metrics.of(judged.stream().filter(which).map(Judged::rating).toList(), least);
        out().printf(
                        Locale.ROOT,
                        "| %s | %d | %d | %s | %.4f | %s | %s |%n",
                        name,
                        metrics.rows(),
                        metrics.unsafe(),
                        number(metrics.auc()),
                        metrics.f1(),
                        number(metrics.recall()),
                        number(metrics.falsePositives()));
    }

    private static String number(OptionalDouble value) {
        return value.isPresent() ? String.format(Locale.ROOT, "%.4f", value.getAsDouble()) : "–";
    }

    private void hazards(List<Judged> judged) {
        List<Judged> named = judged.stream()
                .filter(one -> !one.sample().categories().isEmpty())
                .toList();
        if (!named.isEmpty()) {
            long right = named.stream().filter(Judged::firstHazardIsRight).count();
            out().printf(
                            Locale.ROOT,
                            "%nFirst hazard right where the set names one: %.4f of %d.%n",
                            (double) right / named.size(),
                            named.size());
        }
    }

    private void agreement(List<double[]> pairs, double least) {
        if (!pairs.isEmpty()) {
            long same = pairs.stream()
                    .filter(pair -> pair[0] >= least == pair[1] >= least)
                    .count();
            DoubleSummaryStatistics differences = pairs.stream()
                    .mapToDouble(pair -> Math.abs(pair[0] - pair[1]))
                    .summaryStatistics();
            out().printf(
                            Locale.ROOT,
                            "%nSame verdict as expected: %.4f of %d; P(unsafe) differs by %.5f at most, %.5f in the mean.%n",
                            (double) same / pairs.size(),
                            pairs.size(),
                            differences.getMax(),
                            differences.getAverage());
        }
    }

    @SuppressWarnings("SystemConsoleNull") // it is null with -Djdk.console=java.base
    private void progress(int done, int all) {
        Console console = System.console();
        if (console != null && console.isTerminal() && (done % PROGRESS_STEP == 0 || done == all)) {
            err().print("\r" + done + " of " + all + (done == all ? "\n" : ""));
            err().flush();
        }
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }

    private PrintWriter err() {
        return Objects.requireNonNull(spec).commandLine().getErr();
    }
}
