package dev.corral.guardmodels.evaluation;

import dev.corral.guardmodels.dataset.LabelledRows;
import dev.corral.guardmodels.guard.GuardLoader;
import dev.corral.guardmodels.report.Report;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.policies.assessment.Probability;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Has two guards judge the same labelled rows and reports how far they are from each other. */
@Command(
        name = "compare",
        sortOptions = false,
        usageHelpWidth = 100,
        description = {
            "Has two guards judge the same labelled texts, one after the other, and reports how often they agree, how far"
                    + " their probabilities are apart, and how good each is, with confidence intervals: what"
                    + " quantisation cost, for example."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:everything was judged",
            "1:a guard or a file could not be used, a line is broken, or a text got no verdict",
            "2:wrong options"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  corral model compare guards/fp32 guards/int4 --data eval.jsonl.xz",
            "  corral model compare built-in guards/int4 --data eval.jsonl --html report.html --show-texts"
        })
public final class CompareCommand implements Callable<Integer> {

    private final IntFunction<GuardLoader> loaders;

    @Parameters(index = "0", paramLabel = "A", description = "guard directory, or 'built-in' for the starter guard")
    private @Nullable String first;

    @Parameters(index = "1", paramLabel = "B", description = "guard directory, or 'built-in'")
    private @Nullable String second;

    @Mixin
    private final Measurement measurement = new Measurement();

    @Option(
            names = "--threshold",
            paramLabel = "T",
            description = "beside each guard's own recommendation, compare verdicts at T for both; A's if not given")
    private @Nullable Double threshold;

    /** With the guards of this machine. */
    public CompareCommand() {
        this(Measurement.onThisMachine());
    }

    CompareCommand(IntFunction<GuardLoader> loaders) {
        this.loaders = loaders;
    }

    @Override
    public Integer call() throws IOException {
        measurement.check();
        Optional<Probability> common = Optional.ofNullable(threshold).map(measurement::threshold);
        LabelledRows rows = measurement.rows();
        GuardDirectory b = GuardPlace.open(Objects.requireNonNull(second));
        List<Measurement.Verdicts> verdicts = List.of(
                measurement.judge(
                        loaders, GuardPlace.open(Objects.requireNonNull(first)), "A", Optional.empty(), rows.rows()),
                measurement.judge(loaders, b, "B", Optional.empty(), rows.rows()));
        Measurement.Outcome outcome = measurement.outcome(rows.rows(), verdicts);
        return measurement.write(new Report(
                rows.file(),
                rows.broken(),
                outcome.unjudged(),
                measurement.conditions(),
                measurement.study(
                        verdicts,
                        outcome.judged(),
                        common.orElse(verdicts.getFirst().candidate().threshold())
                                .value()),
                Optional.empty(),
                Optional.empty(),
                measurement.showTexts()));
    }
}
