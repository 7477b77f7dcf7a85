package dev.corral.guardmodels.report;

import dev.corral.guardmodels.measurement.Agreement;
import dev.corral.guardmodels.measurement.Candidate;
import dev.corral.guardmodels.measurement.Comparison;
import dev.corral.guardmodels.measurement.Curve;
import dev.corral.guardmodels.measurement.Distribution;
import dev.corral.guardmodels.measurement.Estimate;
import dev.corral.guardmodels.measurement.Group;
import dev.corral.guardmodels.measurement.HazardGroup;
import dev.corral.guardmodels.measurement.Judged;
import dev.corral.guardmodels.measurement.Measure;
import dev.corral.guardmodels.measurement.Study;
import dev.corral.guardmodels.measurement.ThresholdSuggestion;
import dev.corral.guardmodels.measurement.ThresholdSuggestion.Cut;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the reports for people show, whatever they are written in. Where two guards are compared, each has its rows. */
final class Tables {

    private static final List<String> SIDES = List.of("A", "B");
    private static final String DIFFERENCE = "B − A";

    private final Report report;
    private final Study study;
    private final boolean two;

    Tables(Report report) {
        this.report = report;
        this.study = report.study();
        this.two = report.isComparison();
    }

    /** A guard's name where there are two, else nothing. */
    String side(int candidate) {
        return two ? SIDES.get(candidate) : "";
    }

    Table candidates() {
        Table table = new Table(
                two ? 5 : 4,
                Stream.concat(
                                two ? Stream.of("") : Stream.empty(),
                                Stream.of("guard", "precision", "family", "fingerprint", "threshold"))
                        .toList());
        for (int i = 0; i < study.candidates().size(); i++) {
            Candidate candidate = study.candidates().get(i);
            table.row(Stream.concat(
                            two ? Stream.of(side(i)) : Stream.empty(),
                            Stream.of(
                                    candidate.profile().id(),
                                    candidate.profile().precision(),
                                    candidate.profile().family(),
                                    shortened(candidate.profile().fingerprint()),
                                    Numbers.threshold(candidate.threshold().value())))
                    .toList());
        }
        return table;
    }

    private static String shortened(String fingerprint) {
        return fingerprint.substring(0, Math.min(12, fingerprint.length()));
    }

    /** All rows, and then those of each set. */
    Table sets() {
        return figures(
                "set",
                Stream.concat(Stream.of(study.all()), study.sets().stream()).toList());
    }

    Table setIntervals() {
        return intervals(
                "set",
                Stream.concat(Stream.of(study.all()), study.sets().stream()).toList());
    }

    Table languages() {
        return figures("language", study.languages());
    }

    Table languageIntervals() {
        return intervals("language", study.languages());
    }

    private Table figures(String kind, List<Group> groups) {
        List<String> head = new ArrayList<>(List.of(kind));
        if (two) {
            head.add("guard");
        }
        head.addAll(List.of("rows", "unsafe"));
        if (two) {
            head.add("same");
        }
        Arrays.stream(Measure.values()).map(Measure::label).forEach(head::add);
        Table table = new Table(two ? 2 : 1, head);
        for (Group group : groups) {
            rows(group.figures(), group.difference(), (name, values) -> {
                boolean first = !name.equals("B") && !name.equals(DIFFERENCE);
                List<String> cells = new ArrayList<>(List.of(first ? group.name() : ""));
                if (two) {
                    cells.add(name);
                }
                cells.add(first ? Integer.toString(group.rows()) : "");
                cells.add(first ? Integer.toString(group.unsafe()) : "");
                if (two) {
                    cells.add(first ? Numbers.four(group.same()) : "");
                }
                cells.addAll(each(values, name.equals(DIFFERENCE) ? Numbers::difference : Numbers::value));
                table.row(cells);
            });
        }
        return table;
    }

    private Table intervals(String kind, List<Group> groups) {
        List<String> head = new ArrayList<>(List.of(kind));
        if (two) {
            head.add("guard");
        }
        Arrays.stream(Measure.values()).map(Measure::label).forEach(head::add);
        Table table = new Table(two ? 2 : 1, head);
        for (Group group : groups) {
            rows(group.figures(), group.difference(), (name, values) -> {
                List<String> cells =
                        new ArrayList<>(List.of(name.equals("B") || name.equals(DIFFERENCE) ? "" : group.name()));
                if (two) {
                    cells.add(name);
                }
                cells.addAll(each(values, name.equals(DIFFERENCE) ? Numbers::differenceInterval : Numbers::interval));
                table.row(cells);
            });
        }
        return table;
    }

    private interface Row {
        void add(String name, Map<Measure, Estimate> values);
    }

    /** A row for each guard, and one for their difference. */
    private void rows(List<Map<Measure, Estimate>> figures, Map<Measure, Estimate> difference, Row row) {
        for (int i = 0; i < figures.size(); i++) {
            row.add(side(i), figures.get(i));
        }
        if (two) {
            row.add(DIFFERENCE, difference);
        }
    }

    private static List<String> each(Map<Measure, Estimate> values, Function<@Nullable Estimate, String> format) {
        return Arrays.stream(Measure.values())
                .map(measure -> format.apply(values.get(measure)))
                .toList();
    }

    Table hazards() {
        List<String> head = new ArrayList<>(List.of("hazard", "name"));
        if (two) {
            head.add("guard");
        }
        head.addAll(List.of("unsafe", "found", "first", "AUC", "95 %", "AUC of P(hazard)", "95 %", "AP of P(hazard)"));
        Table table = new Table(two ? 3 : 2, head);
        for (HazardGroup hazard : study.hazards()) {
            for (int i = 0; i < study.candidates().size(); i++) {
                Map<Measure, Estimate> unsafe = hazard.byUnsafe().figures().get(i);
                Map<Measure, Estimate> own = hazard.byHazard().figures().get(i);
                List<String> cells = new ArrayList<>(
                        List.of(hazard.hazard().code(), hazard.hazard().displayName()));
                if (two) {
                    cells.add(side(i));
                }
                cells.addAll(List.of(
                        Integer.toString(hazard.named()),
                        Numbers.value(unsafe.get(Measure.RECALL)),
                        Numbers.four(hazard.first().get(i)),
                        Numbers.value(unsafe.get(Measure.AUC)),
                        Numbers.interval(unsafe.get(Measure.AUC)),
                        Numbers.value(own.get(Measure.AUC)),
                        Numbers.interval(own.get(Measure.AUC)),
                        Numbers.value(own.get(Measure.AVERAGE_PRECISION))));
                table.row(cells);
            }
        }
        return table;
    }

    Table times() {
        Table table = new Table(1, List.of("guard", "mean ms", "p50", "p90", "p99", "max"));
        for (int i = 0; i < study.details().size(); i++) {
            Distribution of = study.details().get(i).milliseconds();
            table.row(List.of(
                    two ? side(i) : study.candidates().get(i).profile().id(),
                    Numbers.milliseconds(of.mean()),
                    Numbers.milliseconds(of.p50()),
                    Numbers.milliseconds(of.p90()),
                    Numbers.milliseconds(of.p99()),
                    Numbers.milliseconds(of.max())));
        }
        return table;
    }

    static Table agreement(Comparison comparison) {
        Table table = new Table(
                1, List.of("thresholds", "same", "both unsafe", "both safe", "only A", "only B", "A right", "B right"));
        for (Agreement one : List.of(comparison.own(), comparison.common())) {
            String first = Numbers.threshold(one.firstThreshold());
            table.row(List.of(
                    one.equals(comparison.own()) && !comparison.own().equals(comparison.common())
                            ? "own: A " + first + ", B " + Numbers.threshold(one.secondThreshold())
                            : "both " + first,
                    Numbers.four(one.share()),
                    Integer.toString(one.bothUnsafe()),
                    Integer.toString(one.bothSafe()),
                    Integer.toString(one.onlyFirst()),
                    Integer.toString(one.onlySecond()),
                    Integer.toString(one.firstRight()),
                    Integer.toString(one.secondRight())));
            if (comparison.own().equals(comparison.common())) {
                break;
            }
        }
        return table;
    }

    static Table distances(Comparison comparison) {
        Table table = new Table(1, List.of("distance of A and B", "mean", "p50", "p90", "p99", "max"));
        row(table, "P(unsafe)", comparison.distances());
        comparison
                .hazards()
                .forEach((hazard, of) -> row(table, "P(" + hazard.code() + ") " + hazard.displayName(), of));
        return table;
    }

    private static void row(Table table, String name, Distribution of) {
        table.row(Stream.concat(
                        Stream.of(name),
                        Stream.of(of.mean(), of.p50(), of.p90(), of.p99(), of.max())
                                .map(Numbers::four))
                .toList());
    }

    /** Rows by difference; bins without rows are left out. */
    static Table histogram(Comparison comparison) {
        Table table = new Table(1, List.of("P(unsafe) of B − A", "rows"));
        List<Integer> bins = comparison.histogram();
        for (int bin = 0; bin < bins.size(); bin++) {
            if (bins.get(bin) > 0) {
                table.row(List.of(bin(bin), Integer.toString(bins.get(bin))));
            }
        }
        return table;
    }

    /** The bounds of a bin of the histogram. */
    static String bin(int bin) {
        return Numbers.signed(Comparison.binStart(bin)) + " to " + Numbers.signed(Comparison.binStart(bin + 1));
    }

    Table mostDifferent(Comparison comparison) {
        return examples(
                comparison.mostDifferent(),
                List.of("A", "B", DIFFERENCE),
                one -> List.of(
                        Numbers.four(one.unsafe(0)), Numbers.four(one.unsafe(1)), Numbers.signed(one.difference())));
    }

    Table slowest(int candidate) {
        return examples(
                study.details().get(candidate).slowest(),
                List.of("ms", "characters"),
                one -> List.of(
                        Numbers.milliseconds(one.answers().get(candidate).milliseconds()),
                        Long.toString(one.answers()
                                .get(candidate)
                                .scored()
                                .coverage()
                                .characters()
                                .total())));
    }

    Table falseAlarms(int candidate) {
        return examples(
                study.details().get(candidate).falseAlarms(),
                List.of("P(unsafe)"),
                one -> List.of(Numbers.four(one.unsafe(candidate))));
    }

    Table misses(int candidate) {
        return examples(
                study.details().get(candidate).misses(),
                List.of("P(unsafe)"),
                one -> List.of(Numbers.four(one.unsafe(candidate))));
    }

    private Table examples(List<Judged> rows, List<String> columns, Function<Judged, List<String>> values) {
        List<String> head = new ArrayList<>(List.of("set", "label"));
        if (report.showTexts()) {
            head.add("text");
        }
        head.add("line");
        head.addAll(columns);
        Table table = new Table(report.showTexts() ? 3 : 2, head);
        for (Judged one : rows) {
            List<String> cells = new ArrayList<>(
                    List.of(one.row().set().orElse(""), one.row().unsafe() ? "unsafe" : "safe"));
            if (report.showTexts()) {
                cells.add(Numbers.excerpt(one.row().text(), 120));
            }
            cells.add(Integer.toString(one.row().line()));
            cells.addAll(values.apply(one));
            table.row(cells);
        }
        return table;
    }

    Table calibration() {
        Table table =
                new Table(two ? 2 : 1, withGuard("P(unsafe)", List.of("rows", "mean P(unsafe)", "really unsafe")));
        for (int i = 0; i < study.details().size(); i++) {
            int candidate = i;
            study.details().get(i).calibration().bins().forEach(bin -> {
                List<String> cells =
                        new ArrayList<>(List.of(Numbers.threshold(bin.from()) + " to " + Numbers.threshold(bin.to())));
                if (two) {
                    cells.add(side(candidate));
                }
                cells.addAll(List.of(
                        Integer.toString(bin.rows()), Numbers.four(bin.predicted()), Numbers.four(bin.observed())));
                table.row(cells);
            });
        }
        return table;
    }

    private List<String> withGuard(String first, List<String> others) {
        return Stream.of(List.of(first), two ? List.of("guard") : List.<String>of(), others)
                .flatMap(List::stream)
                .toList();
    }

    /** Recall, false positives and precision of the curves, which belong to the candidates in their order. */
    Table sweep(List<Curve> curves) {
        List<String> head = new ArrayList<>(List.of("threshold"));
        for (int i = 0; i < curves.size(); i++) {
            String of = two ? side(i) + " " : "";
            head.addAll(List.of(of + "recall", of + "FPR", of + "precision"));
        }
        Table table = new Table(0, head);
        for (int i = 0; i < Curve.THRESHOLDS.size(); i++) {
            int which = i;
            List<String> cells = new ArrayList<>(List.of(Numbers.threshold(Curve.THRESHOLDS.get(i))));
            curves.stream()
                    .map(curve -> curve.sweep().get(which))
                    .forEach(point -> Stream.of(point.recall(), point.falsePositives(), point.precision())
                            .map(Numbers::three)
                            .forEach(cells::add));
            table.row(cells);
        }
        return table;
    }

    static Table suggestion(ThresholdSuggestion suggestion) {
        Table table = new Table(
                1,
                List.of("threshold", "suggested", "by itself: FPR", "finds", "of", "alone at the wished FPR", "finds"));
        BiFunction<Long, Long, String> share = (part, whole) ->
                whole == 0 ? Numbers.UNDEFINED : Numbers.three(OptionalDouble.of((double) part / whole));
        IntStream.range(0, suggestion.together().size()).forEach(i -> {
            Cut together = suggestion.together().get(i);
            Cut alone = suggestion.alone().get(i);
            table.row(List.of(
                    together.key(),
                    together.threshold().toPlainString(),
                    share.apply(together.flagged(), suggestion.safe()),
                    share.apply(together.found(), together.unsafe()),
                    Long.toString(together.unsafe()),
                    alone.threshold().toPlainString(),
                    share.apply(alone.found(), alone.unsafe())));
        });
        return table;
    }
}
