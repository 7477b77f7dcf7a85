package dev.corral.guardmodels.report;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.corral.guardmodels.measurement.Agreement;
import dev.corral.guardmodels.measurement.Calibration;
import dev.corral.guardmodels.measurement.Comparison;
import dev.corral.guardmodels.measurement.Curve;
import dev.corral.guardmodels.measurement.Estimate;
import dev.corral.guardmodels.measurement.HazardGroup;
import dev.corral.guardmodels.measurement.Measure;
import dev.corral.guardmodels.measurement.Study;
import dev.corral.guardmodels.measurement.ThresholdSuggestion;
import dev.corral.guardmodels.report.Chart.Axis;
import dev.corral.guardmodels.report.Chart.Point;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A report as one page that needs nothing else: no script, no font, no request. Every chart has its figures in a table
 * beside it.
 */
public final class HtmlReport {

    private static final List<String> COLOURS = List.of("a", "b");

    /** Nothing may be loaded, even if something slipped through. */
    private static final String SECURITY = "default-src 'none'; style-src 'unsafe-inline'";

    private final Report report;
    private final Study study;
    private final Tables tables;
    private final Markup page = new Markup();

    private HtmlReport(Report report) {
        this.report = report;
        this.study = report.study();
        this.tables = new Tables(report);
    }

    /** The page. */
    public static String of(Report report) {
        HtmlReport html = new HtmlReport(report);
        html.write();
        return html.page.toString();
    }

    private void write() {
        String title = report.isComparison()
                ? study.candidates().getFirst().profile().id() + " and "
                        + study.candidates().getLast().profile().id() + " compared"
                : study.candidates().getFirst().profile().id() + " evaluated";
        page.doctype()
                .open("html", "lang", "en")
                .open("head")
                .line()
                .open("meta", "charset", "utf-8")
                .open("meta", "name", "viewport", "content", "width=device-width, initial-scale=1")
                .open("meta", "http-equiv", "Content-Security-Policy", "content", SECURITY)
                .open("meta", "name", "color-scheme", "content", "light dark")
                .element("title", title)
                .line()
                .style(css())
                .close("head")
                .line()
                .open("body")
                .open("main")
                .open("header")
                .element("h1", title)
                .element("p", report.data() + ": " + Sentences.rows(report), "class", "quiet");
        navigation();
        page.close("header");
        table("Guards", tables.candidates());
        tiles();
        notes();
        study.comparison().ifPresent(this::comparison);
        figures();
        curves();
        hazards();
        report.suggestion().ifPresent(this::suggestion);
        examples();
        times();
        reading();
        page.close("main").close("body").close("html").line();
    }

    private static String css() {
        try (InputStream in = HtmlReport.class.getResourceAsStream("report.css")) {
            if (in == null) {
                throw new IllegalStateException("the jar of guard-models lacks report.css");
            }
            return new String(in.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void navigation() {
        page.open("nav", "aria-label", "Sections");
        BiConsumer<String, String> link = (id, name) -> page.element("a", name, "href", "#" + id);
        if (report.isComparison()) {
            link.accept("difference", "Difference");
        }
        link.accept("figures", "Figures");
        link.accept("curves", "Curves");
        if (!study.hazards().isEmpty()) {
            link.accept("hazards", "Hazards");
        }
        if (report.suggestion().isPresent()) {
            link.accept("thresholds", "Thresholds");
        }
        link.accept("examples", "Examples");
        link.accept("times", "Times");
        link.accept("reading", "How to read this");
        page.close("nav").line();
    }

    private void section(String id, String title, String introduction) {
        page.line().element("h2", title, "id", id).element("p", introduction, "class", "quiet");
    }

    private void tiles() {
        page.open("dl", "class", "tiles");
        study.comparison().ifPresent(comparison -> {
            tile("Same verdict", Numbers.percent(comparison.own().share()), "each at its threshold");
            tile(
                    "Distance of P(unsafe)",
                    Numbers.four(comparison.distances().mean()),
                    "mean; " + Numbers.four(comparison.distances().max()) + " at most");
        });
        for (int i = 0; i < study.candidates().size(); i++) {
            Map<Measure, Estimate> figures = study.all().figures().get(i);
            for (Measure measure : Measure.values()) {
                Estimate estimate = figures.get(measure);
                boolean shown = !report.isComparison() || measure == Measure.AUC || measure == Measure.F1;
                if (shown) {
                    tile(
                            (tables.side(i) + " " + measure.label()).strip(),
                            Numbers.value(estimate),
                            estimate == null ? "not defined by these rows" : Numbers.interval(estimate));
                }
            }
        }
        page.close("dl").line();
    }

    private void tile(String name, String value, String note) {
        page.open("div", "class", "tile")
                .element("dt", name)
                .element("dd", value)
                .element("dd", note)
                .close("div");
    }

    private void notes() {
        List<String> notes = new ArrayList<>(study.notes());
        report.expected().map(Sentences::expected).ifPresent(notes::add);
        if (!notes.isEmpty()) {
            page.open("ul", "class", "notes");
            notes.forEach(note -> page.element("li", note));
            page.close("ul").line();
        }
    }

    private void table(String caption, Table table) {
        if (table.isEmpty()) {
            return;
        }
        page.open("div", "class", "table", "tabindex", "0", "role", "region", "aria-label", caption)
                .open("table")
                .element("caption", caption)
                .open("thead")
                .open("tr");
        for (int column = 0; column < table.head().size(); column++) {
            String name = table.head().get(column);
            String kind = table.isWords(column) ? "word" : "number";
            if (name.isEmpty()) {
                page.open("td", "class", kind).close("td");
            } else {
                page.element("th", name, "scope", "col", "class", kind);
            }
        }
        page.close("tr").close("thead").open("tbody");
        for (List<String> row : table.rows()) {
            page.open("tr");
            for (int column = 0; column < row.size(); column++) {
                boolean text = table.head().get(column).equals("text");
                page.element(
                        "td",
                        row.get(column),
                        "class",
                        text ? "text" : table.isWords(column) ? "word" : "number",
                        "dir",
                        text ? "auto" : "ltr");
            }
            page.close("tr");
        }
        page.close("tbody").close("table").close("div").line();
    }

    private void details(String summary, String caption, Table table) {
        if (!table.isEmpty()) {
            page.open("details").element("summary", summary);
            table(caption, table);
            page.close("details");
        }
    }

    /** An entry of a legend. */
    private record Entry(String style, String name) {}

    private void figure(
            String id, String title, String explanation, List<Entry> legend, Chart chart, @Nullable Table table) {
        page.open("figure", "id", id).open("figcaption").element("h3", title).element("p", explanation);
        if (!legend.isEmpty()) {
            page.open("ul", "class", "legend");
            for (Entry entry : legend) {
                page.open("li")
                        .open("svg", "viewBox", "0 0 26 10", "aria-hidden", "true")
                        .open("path", "class", "line " + entry.style(), "d", "M0 5L26 5")
                        .close("path")
                        .close("svg")
                        .text(entry.name())
                        .close("li");
            }
            page.close("ul");
        }
        page.close("figcaption");
        chart.write(page);
        if (table != null) {
            details("Its figures", title, table);
        }
        page.close("figure").line();
    }

    private void comparison(Comparison comparison) {
        section(
                "difference",
                "How far they are apart",
                "P(unsafe) of B is " + Numbers.signed(comparison.mean())
                        + " from A's in the mean, and further than "
                        + Numbers.four(comparison.distances().p99()) + " in one row of a hundred.");
        table("Verdicts", Tables.agreement(comparison));
        page.open("div", "class", "charts wide");
        int most = comparison.histogram().stream()
                .mapToInt(Integer::intValue)
                .max()
                .orElse(1);
        Chart chart = new Chart(
                "histogram",
                "Rows by difference of P(unsafe)",
                "Histogram of P(unsafe) of B less that of A, with a logarithmic axis for the number of rows.",
                Axis.difference("P(unsafe) of B less that of A"),
                Axis.logarithmicCount("rows", most));
        for (int bin = 0; bin < comparison.histogram().size(); bin++) {
            int rows = comparison.histogram().get(bin);
            if (rows > 0) {
                chart.bar(
                        Comparison.binStart(bin),
                        Comparison.binStart(bin + 1),
                        rows,
                        Tables.bin(bin) + ": " + rows + " rows");
            }
        }
        figure(
                "histogram-figure",
                "Rows by difference of P(unsafe)",
                "Each step of the axis is ten times as many rows.",
                List.of(),
                chart,
                Tables.histogram(comparison));
        Agreement own = comparison.own();
        page.open("figure")
                .open("figcaption")
                .element("h3", "Where the verdicts differ")
                .element("p", "Each guard at its own threshold.")
                .close("figcaption");
        table(
                "Rows",
                new Table(1, List.of("", "B: unsafe", "B: safe"))
                        .row(List.of(
                                "A: unsafe", Integer.toString(own.bothUnsafe()), Integer.toString(own.onlyFirst())))
                        .row(List.of("A: safe", Integer.toString(own.onlySecond()), Integer.toString(own.bothSafe()))));
        page.element(
                        "p",
                        own.disagreements() == 0
                                ? "They never differ."
                                : "Of the " + own.disagreements() + " rows on which they differ, A is right on "
                                        + own.firstRight() + " and B on " + own.secondRight() + ".")
                .close("figure")
                .close("div");
        table("Distance of the probabilities", Tables.distances(comparison));
    }

    private void figures() {
        section(
                "figures",
                "Figures",
                "At " + (report.isComparison() ? "each guard's threshold" : "the guard's threshold")
                        + ". AUC and AP (average precision) do not depend on a threshold. " + Numbers.UNDEFINED
                        + " stands where the rows do not define a figure, because all are safe or all unsafe.");
        table("All rows, and those of each set", tables.sets());
        details("95 % confidence intervals", "95 % confidence intervals", tables.setIntervals());
        table("Languages", tables.languages());
        details(
                "95 % confidence intervals of the languages",
                "95 % confidence intervals of the languages",
                tables.languages().isEmpty() ? tables.languages() : tables.languageIntervals());
    }

    private void curves() {
        section("curves", "Curves", "What other thresholds for P(unsafe) would give, on all rows.");
        page.open("div", "class", "charts wide");
        boolean safe = study.all().unsafe() < study.all().rows();
        boolean unsafe = study.all().unsafe() > 0;
        if (safe && unsafe) {
            roc();
        }
        if (unsafe) {
            precisionAndRecall();
        }
        sweep(
                "sweep",
                "Thresholds for P(unsafe)",
                "Share of unsafe rows found and of safe rows flagged, for each threshold.",
                Axis.share("threshold for P(unsafe)"),
                study.details().stream().map(Study.Detail::curve).toList(),
                IntStream.range(0, study.candidates().size())
                        .mapToObj(i -> new Mark(
                                COLOURS.get(i),
                                study.candidates().get(i).threshold().value(),
                                (tables.side(i) + " threshold").strip()))
                        .toList());
        calibration();
        page.close("div");
    }

    private List<Entry> guards() {
        return report.isComparison() ? List.of(new Entry("a", "A"), new Entry("b dashed", "B")) : List.of();
    }

    private static String style(int candidate) {
        return candidate == 0 ? "a" : "b dashed";
    }

    private String figureOfAll(Measure measure) {
        List<String> values = new ArrayList<>();
        for (int i = 0; i < study.candidates().size(); i++) {
            values.add((tables.side(i) + " "
                            + Numbers.value(study.all().figures().get(i).get(measure)))
                    .strip());
        }
        return String.join(", ", values);
    }

    private void roc() {
        Chart chart = new Chart(
                "roc",
                "ROC curve",
                "Share of unsafe rows found against share of safe rows flagged. Area under the curve: "
                        + figureOfAll(Measure.AUC) + ".",
                Axis.share("false-positive rate: safe rows flagged"),
                Axis.share("recall: unsafe rows found"));
        chart.line("chance", List.of(new Point(0, 0), new Point(1, 1)));
        for (int i = 0; i < study.candidates().size(); i++) {
            Curve curve = study.details().get(i).curve();
            chart.line(
                    style(i),
                    curve.points().stream()
                            .map(point -> new Point(
                                    point.falsePositives().orElseThrow(),
                                    point.recall().orElseThrow()))
                            .toList());
            Map<Measure, Estimate> all = study.all().figures().get(i);
            Estimate x = all.get(Measure.FALSE_POSITIVES);
            Estimate y = all.get(Measure.RECALL);
            if (x != null && y != null) {
                chart.dot(
                        COLOURS.get(i),
                        new Point(x.value(), y.value()),
                        (tables.side(i) + " at its threshold: recall " + Numbers.four(y.value()) + ", FPR "
                                        + Numbers.four(x.value()))
                                .strip());
            }
        }
        figure(
                "roc-figure",
                "ROC curve",
                "AUC " + figureOfAll(Measure.AUC) + ". Dot: the threshold in use. Dotted: guessing.",
                guards(),
                chart,
                sweepTable());
    }

    private Table sweepTable() {
        return tables.sweep(study.details().stream().map(Study.Detail::curve).toList());
    }

    private void precisionAndRecall() {
        Chart chart = new Chart(
                "precision",
                "Precision and recall",
                "Share of flagged rows that are unsafe against share of unsafe rows found. Average precision: "
                        + figureOfAll(Measure.AVERAGE_PRECISION) + ".",
                Axis.share("recall: unsafe rows found"),
                Axis.share("precision: flagged rows that are unsafe"));
        double unsafe = (double) study.all().unsafe() / study.all().rows();
        chart.line("chance", List.of(new Point(0, unsafe), new Point(1, unsafe)));
        for (int i = 0; i < study.candidates().size(); i++) {
            chart.steps(
                    style(i),
                    study.details().get(i).curve().points().stream()
                            .filter(point -> point.precision().isPresent())
                            .map(point -> new Point(
                                    point.recall().orElseThrow(),
                                    point.precision().orElseThrow()))
                            .toList());
        }
        figure(
                "precision-figure",
                "Precision and recall",
                "Average precision " + figureOfAll(Measure.AVERAGE_PRECISION) + ". Dotted: guessing.",
                guards(),
                chart,
                sweepTable());
    }

    /** A threshold in a chart. */
    private record Mark(String style, double threshold, String name) {}

    private void sweep(String id, String title, String explanation, Axis axis, List<Curve> curves, List<Mark> marks) {
        Chart chart = new Chart(id, title, explanation, axis, Axis.share("share of rows"));
        marks.forEach(mark ->
                chart.mark(mark.style(), mark.threshold(), mark.name() + ": " + Numbers.threshold(mark.threshold())));
        List<Entry> legend = new ArrayList<>();
        for (int i = 0; i < curves.size(); i++) {
            String colour = COLOURS.get(i);
            List<Point> found = curves.get(i).points().reversed().stream()
                    .filter(point -> point.recall().isPresent())
                    .map(point -> new Point(point.threshold(), point.recall().orElseThrow()))
                    .toList();
            List<Point> flagged = curves.get(i).points().reversed().stream()
                    .filter(point -> point.falsePositives().isPresent())
                    .map(point ->
                            new Point(point.threshold(), point.falsePositives().orElseThrow()))
                    .toList();
            chart.steps(colour, found).steps(colour + " dashed", flagged);
            String side = tables.side(i);
            legend.add(new Entry(colour, (side + " recall").strip()));
            legend.add(new Entry(colour + " dashed", (side + " FPR").strip()));
        }
        figure(id + "-figure", title, explanation, legend, chart, tables.sweep(curves));
    }

    private void calibration() {
        List<String> errors = new ArrayList<>();
        Chart chart = new Chart(
                "calibration",
                "Calibration",
                "Share of rows that are unsafe against their mean P(unsafe), in ten bins. On the diagonal, a probability"
                        + " is what it says.",
                Axis.share("mean P(unsafe)"),
                Axis.share("share of rows that are unsafe"));
        chart.line("chance", List.of(new Point(0, 0), new Point(1, 1)));
        for (int i = 0; i < study.candidates().size(); i++) {
            Calibration calibration = study.details().get(i).calibration();
            chart.line(
                    style(i),
                    calibration.bins().stream()
                            .map(bin -> new Point(bin.predicted(), bin.observed()))
                            .toList());
            for (Calibration.Bin bin : calibration.bins()) {
                chart.dot(
                        COLOURS.get(i),
                        new Point(bin.predicted(), bin.observed()),
                        (tables.side(i) + " " + bin.rows() + " rows: mean P(unsafe) " + Numbers.four(bin.predicted())
                                        + ", unsafe " + Numbers.four(bin.observed()))
                                .strip());
            }
            errors.add((tables.side(i) + " Brier score " + Numbers.four(calibration.brier()) + ", calibration error "
                            + Numbers.four(calibration.error()))
                    .strip());
        }
        figure(
                "calibration-figure",
                "Calibration",
                String.join("; ", errors) + ". It depends on how many rows of the file are unsafe.",
                guards(),
                chart,
                tables.calibration());
    }

    private void hazards() {
        if (study.hazards().isEmpty()) {
            return;
        }
        section(
                "hazards",
                "Hazards",
                "The unsafe rows that name a hazard, among all safe rows. found: called unsafe at the threshold for"
                        + " P(unsafe); first: it is the likeliest hazard. The charts show what a threshold for the hazard's own"
                        + " probability would give.");
        table("Hazards", tables.hazards());
        page.open("div", "class", "charts");
        for (HazardGroup hazard : study.hazards()) {
            String code = hazard.hazard().code();
            List<Mark> marks = report.suggestion().stream()
                    .flatMap(suggestion -> suggestion.together().stream())
                    .filter(cut -> cut.key().equals(code))
                    .map(cut -> new Mark("a", cut.threshold().doubleValue(), "suggested threshold"))
                    .toList();
            sweep(
                    "hazard-" + code,
                    code + " " + hazard.hazard().displayName(),
                    hazard.named() + " unsafe rows name it."
                            + (marks.isEmpty()
                                    ? ""
                                    : " Suggested threshold: "
                                            + Numbers.threshold(marks.getFirst().threshold()) + "."),
                    Axis.logarithmicShare("threshold for P(" + code + ")"),
                    hazard.curves(),
                    marks);
        }
        page.close("div");
    }

    private void suggestion(ThresholdSuggestion suggestion) {
        section(
                "thresholds",
                "Suggested thresholds",
                "For a false-positive rate of at most " + Numbers.percent(suggestion.wished())
                        + ", chosen and measured on these same rows.");
        page.open("ul", "class", "notes");
        Sentences.suggestion(suggestion).forEach(sentence -> page.element("li", sentence));
        page.close("ul");
        table("Thresholds", Tables.suggestion(suggestion));
    }

    private void examples() {
        section(
                "examples",
                "Examples",
                report.showTexts()
                        ? "Rows by their lines in the file, with what was said last."
                        : "Rows by their lines in the file; --show-texts shows what was said in them.");
        study.comparison().ifPresent(comparison -> table("Most different", tables.mostDifferent(comparison)));
        for (int i = 0; i < study.details().size(); i++) {
            if (!report.isComparison()) {
                table("Safe rows that the guard is surest are unsafe", tables.falseAlarms(i));
                table("Unsafe rows that the guard is surest are safe", tables.misses(i));
            }
            table(("Slowest " + tables.side(i)).strip(), tables.slowest(i));
        }
    }

    private void times() {
        section(
                "times",
                "Time of a row",
                "Milliseconds, with " + report.conditions().lanes() + " rows judged at the same time.");
        table("Milliseconds", tables.times());
    }

    private void reading() {
        section(
                "reading",
                "How to read this",
                "What stands in brackets or after “95 %” is where the figure would lie in 95 of 100 files like this one: "
                        + report.conditions().resamples()
                        + " times, as many safe and as many unsafe rows were drawn from it again (seed "
                        + report.conditions().seed() + ").");
        page.open("ul", "class", "notes");
        List.of(
                        "AUC: how often an unsafe row is rated above a safe one. 0.5 is guessing, 1 is perfect.",
                        "Recall: share of unsafe rows that are called unsafe. FPR: share of safe rows that are, too.",
                        "F1: one figure for recall and precision; it depends on how many rows are unsafe.",
                        "AP: average precision, the area below the curve of precision and recall.",
                        "A policy's thresholds are compared with the same probabilities that are measured here.")
                .forEach(line -> page.element("li", line));
        page.close("ul");
    }
}
