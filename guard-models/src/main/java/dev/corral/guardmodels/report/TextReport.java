package dev.corral.guardmodels.report;

import dev.corral.guardmodels.measurement.Comparison;
import dev.corral.guardmodels.measurement.Study;
import dev.corral.guardmodels.measurement.ThresholdSuggestion;
import java.io.PrintWriter;
import java.util.Locale;

/** A report for the terminal: Markdown tables, which can be pasted into a model card. */
public final class TextReport {

    private static final int WIDEST_BAR = 40;

    private final Report report;
    private final Study study;
    private final Tables tables;
    private final PrintWriter out;

    private TextReport(Report report, PrintWriter out) {
        this.report = report;
        this.study = report.study();
        this.tables = new Tables(report);
        this.out = out;
    }

    public static void print(Report report, PrintWriter out) {
        new TextReport(report, out).print();
    }

    private void print() {
        head();
        study.comparison().ifPresent(this::comparison);
        table("Figures", tables.sets());
        table("95 % intervals", tables.setIntervals());
        table("Languages", tables.languages());
        table("95 % intervals", tables.languageIntervals());
        table(
                "Hazards: the unsafe rows that name each, among all safe ones. found: called unsafe; first: it is the"
                        + " likeliest hazard",
                tables.hazards());
        firstHazards();
        expected();
        table("Calibration: of the rows with such a P(unsafe), how many are unsafe", tables.calibration());
        table("Time of a row, " + report.conditions().lanes() + " at once", tables.times());
        examples();
        report.suggestion().ifPresent(this::suggestion);
        if (!study.notes().isEmpty()) {
            out.println();
            study.notes().forEach(out::println);
        }
        out.flush();
    }

    private void head() {
        for (int i = 0; i < study.candidates().size(); i++) {
            var candidate = study.candidates().get(i);
            out.printf(
                    Locale.ROOT,
                    "Guard %s%s (%s), threshold %s%n",
                    tables.side(i).isEmpty() ? "" : tables.side(i) + ": ",
                    candidate.profile().id(),
                    candidate.profile().precision(),
                    Numbers.threshold(candidate.threshold().value()));
        }
        out.println("Data " + Numbers.printable(report.data()) + ": " + Sentences.rows(report));
    }

    private void table(String title, Table table) {
        if (!table.isEmpty()) {
            out.println();
            out.println(title);
            out.println();
            out.println(table.markdown());
        }
    }

    private void comparison(Comparison comparison) {
        table("Verdicts", Tables.agreement(comparison));
        table("Probabilities", Tables.distances(comparison));
        out.println();
        out.println("P(unsafe) of B is " + Numbers.signed(comparison.mean())
                + " from A's in the mean. Rows by difference:");
        out.println();
        int most = comparison.histogram().stream()
                .mapToInt(Integer::intValue)
                .max()
                .orElse(1);
        for (int bin = 0; bin < comparison.histogram().size(); bin++) {
            int rows = comparison.histogram().get(bin);
            if (rows > 0) {
                out.printf(Locale.ROOT, "  %s  %7d  %s%n", Tables.bin(bin), rows, "#".repeat((int)
                                Math.ceil((double) WIDEST_BAR * rows / most)));
            }
        }
        table("Most different", tables.mostDifferent(comparison));
    }

    private void firstHazards() {
        for (int i = 0; i < study.details().size(); i++) {
            Study.Detail detail = study.details().get(i);
            if (detail.named() > 0) {
                out.println();
                out.printf(
                        Locale.ROOT,
                        "First hazard right where the set names one%s: %.4f of %d.%n",
                        tables.side(i).isEmpty() ? "" : ", " + tables.side(i),
                        (double) detail.namedFirst() / detail.named(),
                        detail.named());
            }
        }
    }

    private void expected() {
        report.expected().ifPresent(expected -> {
            out.println();
            out.println(Sentences.expected(expected));
        });
    }

    private void examples() {
        for (int i = 0; i < study.details().size(); i++) {
            String of = tables.side(i).isEmpty() ? "" : ", " + tables.side(i);
            table("Slowest" + of, tables.slowest(i));
            if (!report.isComparison()) {
                table("Safe rows that the guard is surest are unsafe", tables.falseAlarms(i));
                table("Unsafe rows that the guard is surest are safe", tables.misses(i));
            }
        }
    }

    private void suggestion(ThresholdSuggestion suggestion) {
        table(
                "Thresholds for a false-positive rate of at most " + Numbers.percent(suggestion.wished()),
                Tables.suggestion(suggestion));
        out.println();
        Sentences.suggestion(suggestion).forEach(out::println);
    }
}
