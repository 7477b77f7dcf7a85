package dev.corral.guardmodels.evaluation;

import dev.corral.guardmodels.dataset.BrokenLineException;
import dev.corral.guardmodels.dataset.LabelledRow;
import dev.corral.guardmodels.dataset.LabelledRows;
import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.GuardLoader;
import dev.corral.guardmodels.guard.OnnxGuard;
import dev.corral.guardmodels.measurement.Bootstrap;
import dev.corral.guardmodels.measurement.Candidate;
import dev.corral.guardmodels.measurement.Judged;
import dev.corral.guardmodels.measurement.Study;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.report.HtmlReport;
import dev.corral.guardmodels.report.JsonReport;
import dev.corral.guardmodels.report.Report;
import dev.corral.guardmodels.report.TextReport;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Probability;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** What both commands have in common: which rows, how they are judged, and what is written about it. */
final class Measurement {

    private static final int BROKEN_SHOWN = 20;
    private static final int FEWEST_RESAMPLES = 100;
    private static final int MOST_RESAMPLES = 100_000;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FILE",
            description = {
                "JSON lines: objects with 'text', or 'turns' of 'role' and 'content', and optionally 'response'; the last"
                        + " is judged. Its 'label': safe or unsafe, 0 or 1, false or true. Optionally 'categories'"
                        + " (hazard codes), 'lang', 'set' (or 'source'). May be packed (.gz, .xz)."
            })
    private @Nullable Path data;

    @Option(names = "--limit", paramLabel = "N", description = "judge the first N lines only")
    private int limit = Integer.MAX_VALUE;

    @Option(
            names = "--on-error",
            paramLabel = "fail|skip",
            description = "what to do where lines are broken: name them and fail (default), or name and skip them")
    private String onError = "fail";

    @Option(
            names = "--lanes",
            paramLabel = "N",
            description =
                    "rows to judge at the same time; if not given, one for each core, which takes least time in all."
                            + " With 1, all cores work on one row: take it to measure the time of a row.")
    private int lanes = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--resamples",
            paramLabel = "N",
            description = "draws for the confidence intervals (default: ${DEFAULT-VALUE})")
    private int resamples = 1000;

    @Option(names = "--seed", paramLabel = "N", description = "of the draws (default: ${DEFAULT-VALUE})")
    private long seed = 1;

    @Option(
            names = "--examples",
            paramLabel = "N",
            description = "rows to name of each kind: slowest, most different, most wrong (default: ${DEFAULT-VALUE})")
    private int examples = 10;

    @Option(names = "--show-texts", description = "show the texts of those rows, not only their line numbers")
    private boolean showTexts;

    @Option(names = "--html", paramLabel = "FILE", description = "write a page with charts, too")
    private @Nullable Path html;

    @Option(names = "--json", description = "print JSON in place of the report")
    private boolean json;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "print this help")
    @SuppressWarnings("UnusedVariable") // picocli reads the annotation
    private boolean help;

    @Spec(Target.MIXEE)
    private @Nullable CommandSpec spec;

    /** The guards of this machine: all its cores, shared by the lanes. */
    static IntFunction<GuardLoader> onThisMachine() {
        int cores = Runtime.getRuntime().availableProcessors();
        return lanes -> directory -> OnnxGuard.load(directory, new Resources(lanes, Math.max(1, cores / lanes), 0));
    }

    /** Checks the options that can be checked before anything is read. */
    void check() throws IOException {
        atLeast("--limit", limit, 1);
        atLeast("--lanes", lanes, 1);
        atLeast("--examples", examples, 0);
        if (resamples < FEWEST_RESAMPLES || resamples > MOST_RESAMPLES) {
            throw wrong(
                    "--resamples must be between " + FEWEST_RESAMPLES + " and " + MOST_RESAMPLES + ": " + resamples);
        }
        if (!List.of("fail", "skip").contains(onError)) {
            throw wrong("--on-error must be fail or skip: '" + onError + "'");
        }
        if (html != null) {
            checkFolder(html);
        }
    }

    private void atLeast(String option, int value, int least) {
        if (value < least) {
            throw wrong(option + " must be at least " + least + ": " + value);
        }
    }

    ParameterException wrong(String message) {
        return new ParameterException(Objects.requireNonNull(spec).commandLine(), message);
    }

    /** A threshold that was given as an option. */
    Probability threshold(double value) {
        if (!(value >= 0 && value <= 1)) {
            throw wrong("--threshold must be between 0 and 1: " + value);
        }
        return new Probability(value);
    }

    /** Measuring takes minutes; that its result cannot be written should not come out at the end. */
    static void checkFolder(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new IOException("there is no folder " + folder + " to write " + file + " to; make it first");
        }
        if (Files.isDirectory(file)) {
            throw new IOException(file + " is a directory; give the name of a file");
        }
    }

    /** The rows of the file; broken lines are named, and are an error unless they are to be skipped. */
    LabelledRows rows() throws IOException {
        Path file = Objects.requireNonNull(data);
        LabelledRows rows = LabelledRows.read(file, limit);
        List<BrokenLineException> broken = rows.broken();
        broken.stream().limit(BROKEN_SHOWN).forEach(line -> err().println(line.getMessage()));
        if (broken.size() > BROKEN_SHOWN) {
            err().println("and " + (broken.size() - BROKEN_SHOWN) + " broken lines more");
        }
        if (!broken.isEmpty() && onError.equals("fail")) {
            throw new IOException(file + " has " + broken.size() + " broken lines of "
                    + (broken.size() + rows.rows().size())
                    + "; mend them, or leave them out with --on-error skip");
        }
        if (rows.rows().isEmpty()) {
            throw new IOException(file + " has no row that can be used: all " + broken.size() + " lines are broken");
        }
        return rows;
    }

    /** What one guard says of all rows. */
    record Verdicts(Candidate candidate, List<Lanes.Answer> answers) {}

    /** Loads a guard, asks it, and frees it again, so that two large ones need not fit into memory together. */
    Verdicts judge(
            IntFunction<GuardLoader> loaders,
            GuardDirectory directory,
            String name,
            Optional<Probability> threshold,
            List<LabelledRow> rows) {
        try (Guard guard = loaders.apply(lanes).load(directory)) {
            Candidate candidate = new Candidate(
                    name.isEmpty() ? guard.profile().id() : name,
                    guard.profile(),
                    threshold.orElse(guard.profile().recommendedThreshold()));
            return new Verdicts(candidate, Lanes.judge(guard, rows, lanes, candidate.name()));
        }
    }

    /** What came of the rows: those that all guards have a verdict on, and the others. */
    record Outcome(List<Judged> judged, List<Report.Unjudged> unjudged) {}

    Outcome outcome(List<LabelledRow> rows, List<Verdicts> verdicts) throws IOException {
        List<Judged> judged = new ArrayList<>();
        List<Report.Unjudged> unjudged = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            List<Judged.Answer> answers = new ArrayList<>();
            for (Verdicts of : verdicts) {
                Lanes.Answer answer = of.answers().get(i);
                switch (answer.assessment()) {
                    case Scored scored -> answers.add(new Judged.Answer(scored, answer.nanoseconds()));
                    case Inconclusive inconclusive ->
                        unjudged.add(new Report.Unjudged(
                                rows.get(i).line(), of.candidate().name(), inconclusive));
                }
            }
            if (answers.size() == verdicts.size()) {
                judged.add(new Judged(rows.get(i), answers));
            }
        }
        unjudged.forEach(row -> err().println("line " + row.line() + " got no verdict"
                + (verdicts.size() == 1 ? "" : " from " + row.candidate()) + ": "
                + row.why().detail()));
        if (judged.isEmpty()) {
            throw new IOException("no row got a verdict, so there is nothing to report");
        }
        return new Outcome(judged, unjudged);
    }

    Study study(List<Verdicts> verdicts, List<Judged> judged, double common) {
        return Study.of(
                verdicts.stream().map(Verdicts::candidate).toList(),
                judged,
                new Bootstrap(resamples, seed),
                common,
                examples);
    }

    Report.Conditions conditions() {
        return new Report.Conditions(resamples, seed, lanes);
    }

    boolean showTexts() {
        return showTexts;
    }

    /** Prints and writes a report; the exit code says whether it is about all rows. */
    int write(Report report) throws IOException {
        if (json) {
            out().println(JsonReport.of(report));
            out().flush();
        } else {
            TextReport.print(report, out());
        }
        if (html != null) {
            Files.writeString(html, HtmlReport.of(report));
            err().println("Written: " + html);
        }
        return report.unjudged().isEmpty() ? 0 : 1;
    }

    PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }

    PrintWriter err() {
        return Objects.requireNonNull(spec).commandLine().getErr();
    }
}
