package dev.corral.guardmodels.evaluation;

import dev.corral.guardmodels.assess.Program;
import dev.corral.guardmodels.dataset.LabelledRows;
import dev.corral.guardmodels.guard.GuardLoader;
import dev.corral.guardmodels.measurement.Candidate;
import dev.corral.guardmodels.measurement.Judged;
import dev.corral.guardmodels.measurement.ThresholdSuggestion;
import dev.corral.guardmodels.measurement.ThresholdSuggestion.UnreachableException;
import dev.corral.guardmodels.report.Report;
import dev.corral.guardmodels.report.ThresholdsYaml;
import dev.corral.policies.assessment.Probability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Judges labelled rows and reports how often a guard is right. */
@Command(
        name = "evaluate",
        sortOptions = false,
        usageHelpWidth = 100,
        description = {
            "Judges labelled texts and reports how often the guard is right: for all of them, for each set, language and"
                    + " hazard, with confidence intervals. Suggests thresholds for a wished false-positive rate."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:everything was judged",
            "1:a guard or a file could not be used, a line is broken, a text got no verdict, or no threshold keeps to the"
                    + " wished rate",
            "2:wrong options"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  corral evaluate --data eval.jsonl.xz --limit 500",
            "  corral evaluate guards/llama-guard-3-1b --data eval.jsonl --html report.html",
            "  corral evaluate --data eval.jsonl --fpr 0.05 --thresholds-to thresholds.yaml"
        })
public final class EvaluateCommand implements Callable<Integer> {

    private final IntFunction<GuardLoader> loaders;

    @Parameters(
            arity = "0..1",
            paramLabel = "MODEL",
            description = "guard directory, as 'corral quantize' writes it; the built-in starter guard if not given")
    private @Nullable String model;

    @Option(names = "--guard", paramLabel = "DIR", description = "the same as MODEL")
    private @Nullable String guard;

    @Mixin
    private final Measurement measurement = new Measurement();

    @Option(
            names = "--threshold",
            paramLabel = "T",
            description = "call T and more unsafe, 0 to 1; the guard's own recommendation if not given")
    private @Nullable Double threshold;

    @Option(
            names = "--expected",
            paramLabel = "FILE",
            description = "JSON array with another model's P(unsafe) of each line, to compare with")
    private @Nullable Path expected;

    @Option(
            names = "--fpr",
            paramLabel = "RATE",
            description = "suggest thresholds that flag at most this share of safe rows, such as 0.05")
    private @Nullable Double rate;

    @Option(
            names = "--thresholds-to",
            paramLabel = "FILE",
            description = "write them as a piece of a policy (YAML); the file must not exist yet")
    private @Nullable Path thresholdsTo;

    EvaluateCommand(IntFunction<GuardLoader> loaders) {
        this.loaders = loaders;
    }

    /** {@code corral evaluate}. */
    public static void main(String[] args) {
        Program.runAndExit(new EvaluateCommand(Measurement.onThisMachine()), args);
    }

    @Override
    public Integer call() throws IOException {
        measurement.check();
        Optional<Probability> least = Optional.ofNullable(threshold).map(measurement::threshold);
        checkSuggestion();
        if (model != null && guard != null) {
            throw measurement.wrong("give the guard once: as MODEL or with --guard");
        }
        String place = model != null ? model : guard != null ? guard : GuardPlace.BUILT_IN;
        LabelledRows rows = measurement.rows();
        Optional<ExpectedScores> scores = expected == null
                ? Optional.empty()
                : Optional.of(
                        ExpectedScores.read(expected, rows.rows().getLast().index() + 1));
        Measurement.Verdicts verdicts = measurement.judge(loaders, GuardPlace.open(place), "", least, rows.rows());
        Measurement.Outcome outcome = measurement.outcome(rows.rows(), List.of(verdicts));
        Candidate candidate = verdicts.candidate();
        Report report = new Report(
                rows.file(),
                rows.broken(),
                outcome.unjudged(),
                measurement.conditions(),
                measurement.study(
                        List.of(verdicts),
                        outcome.judged(),
                        candidate.threshold().value()),
                scores.map(of -> of.agreement(outcome.judged(), candidate.threshold())),
                suggestion(candidate, outcome.judged()),
                measurement.showTexts());
        int code = measurement.write(report);
        if (thresholdsTo != null && report.suggestion().isPresent()) {
            Files.writeString(
                    thresholdsTo, ThresholdsYaml.of(report, report.suggestion().get()));
            measurement.err().println("Written: " + thresholdsTo);
        }
        return rate != null && report.suggestion().isEmpty() ? 1 : code;
    }

    private void checkSuggestion() throws IOException {
        if (rate != null && !(rate > 0 && rate < 1)) {
            throw measurement.wrong("--fpr must be above 0 and below 1: " + rate);
        }
        if (thresholdsTo != null) {
            if (rate == null) {
                throw measurement.wrong(
                        "--thresholds-to needs --fpr, the false-positive rate to suggest thresholds for");
            }
            Measurement.checkFolder(thresholdsTo);
            if (Files.exists(thresholdsTo)) {
                throw new IOException(
                        thresholdsTo + " exists already, and might be a policy; give another name or remove it");
            }
        }
    }

    private Optional<ThresholdSuggestion> suggestion(Candidate candidate, List<Judged> judged) {
        if (rate == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(ThresholdSuggestion.of(candidate, judged, rate));
        } catch (UnreachableException e) {
            measurement.err().println("no thresholds: " + e.getMessage());
            return Optional.empty();
        }
    }
}
