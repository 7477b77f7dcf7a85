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
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A report for programs. Names stay what they are within a {@code format}; what the rows do not define is null.
 *
 * <p>Everything but {@code milliseconds} and {@code slowest} is the same for the same data, guards and options.
 */
public final class JsonReport {

    /** The version of the format. */
    private static final int FORMAT = 1;

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private final Report report;
    private final Study study;

    private JsonReport(Report report) {
        this.report = report;
        this.study = report.study();
    }

    /** The report as one JSON object, indented. */
    public static String of(Report report) {
        return JSON.writeValueAsString(new JsonReport(report).json());
    }

    private ObjectNode json() {
        ObjectNode root = JSON.createObjectNode();
        root.put("format", FORMAT);
        data(root.putObject("data"));
        conditions(root.putObject("conditions"));
        ArrayNode guards = root.putArray("guards");
        for (int i = 0; i < study.candidates().size(); i++) {
            guard(guards.addObject(), i);
        }
        group(root.putObject("all"), study.all());
        groups(root.putObject("sets"), study.sets());
        groups(root.putObject("languages"), study.languages());
        ObjectNode hazards = root.putObject("hazards");
        study.hazards()
                .forEach(hazard -> hazard(hazards.putObject(hazard.hazard().code()), hazard));
        ArrayNode notes = root.putArray("notes");
        study.notes().forEach(notes::add);
        study.comparison().ifPresent(comparison -> comparison(root.putObject("comparison"), comparison));
        report.expected()
                .ifPresent(expected -> root.putObject("expected")
                        .put("rows", expected.rows())
                        .put("same_verdict", expected.same())
                        .put("mean_distance", expected.mean())
                        .put("largest_distance", expected.largest()));
        report.suggestion().ifPresent(suggestion -> suggestion(root.putObject("suggestion"), suggestion));
        return root;
    }

    private void data(ObjectNode json) {
        json.put("file", report.data());
        json.put("rows", study.all().rows());
        json.put("unsafe", study.all().unsafe());
        json.put("safe", study.all().rows() - study.all().unsafe());
        ArrayNode broken = json.putArray("broken");
        report.broken()
                .forEach(line -> broken.addObject()
                        .put("line", line.line())
                        .put("column", line.column())
                        .put("rule", line.rule()));
        ArrayNode unjudged = json.putArray("unjudged");
        report.unjudged()
                .forEach(row -> unjudged.addObject()
                        .put("line", row.line())
                        .put("guard", row.candidate())
                        .put("reason", row.why().reason().name().toLowerCase(Locale.ROOT))
                        .put("detail", row.why().detail()));
    }

    private void conditions(ObjectNode json) {
        json.put("confidence", 0.95);
        json.put("resamples", report.conditions().resamples());
        json.put("seed", report.conditions().seed());
        json.put("lanes", report.conditions().lanes());
    }

    private void guard(ObjectNode json, int index) {
        Candidate candidate = study.candidates().get(index);
        Study.Detail detail = study.details().get(index);
        json.put("name", candidate.name());
        json.put("id", candidate.profile().id());
        json.put("precision", candidate.profile().precision());
        json.put("family", candidate.profile().family());
        json.put("fingerprint", candidate.profile().fingerprint());
        json.put("threshold", candidate.threshold().value());
        json.putObject("first_hazard").put("rows", detail.named()).put("right", detail.namedFirst());
        ObjectNode calibration = json.putObject("calibration");
        calibration.put("brier", detail.calibration().brier());
        calibration.put("error", detail.calibration().error());
        ArrayNode bins = calibration.putArray("bins");
        detail.calibration()
                .bins()
                .forEach(bin -> bins.addObject()
                        .put("from", bin.from())
                        .put("to", bin.to())
                        .put("rows", bin.rows())
                        .put("predicted", bin.predicted())
                        .put("observed", bin.observed()));
        curve(json, detail.curve());
        distribution(json.putObject("milliseconds"), detail.milliseconds());
        examples(json.putArray("slowest"), detail.slowest());
        examples(json.putArray("false_alarms"), detail.falseAlarms());
        examples(json.putArray("misses"), detail.misses());
    }

    private static void curve(ObjectNode json, Curve curve) {
        points(json.putArray("sweep"), curve.sweep());
        points(json.putArray("curve"), curve.points());
    }

    private static void points(ArrayNode json, List<Curve.Point> points) {
        for (Curve.Point point : points) {
            ObjectNode one = json.addObject().put("threshold", point.threshold());
            put(one, "recall", point.recall());
            put(one, "fpr", point.falsePositives());
            put(one, "precision", point.precision());
        }
    }

    private static void put(ObjectNode json, String name, OptionalDouble value) {
        if (value.isPresent()) {
            json.put(name, value.getAsDouble());
        } else {
            json.putNull(name);
        }
    }

    private static void distribution(ObjectNode json, Distribution of) {
        json.put("mean", of.mean())
                .put("p50", of.p50())
                .put("p90", of.p90())
                .put("p99", of.p99())
                .put("max", of.max());
    }

    private void groups(ObjectNode json, List<Group> groups) {
        groups.forEach(group -> group(json.putObject(group.name()), group));
    }

    private void group(ObjectNode json, Group group) {
        json.put("rows", group.rows());
        json.put("unsafe", group.unsafe());
        if (report.isComparison()) {
            json.put("same_verdict", group.same());
        }
        ArrayNode guards = json.putArray("guards");
        group.figures().forEach(figures -> estimates(guards.addObject(), figures));
        if (report.isComparison()) {
            estimates(json.putObject("difference"), group.difference());
        }
    }

    private static void estimates(ObjectNode json, Map<Measure, Estimate> estimates) {
        for (Measure measure : Measure.values()) {
            Estimate estimate = estimates.get(measure);
            if (estimate == null) {
                json.putNull(measure.key());
            } else {
                json.putObject(measure.key())
                        .put("value", estimate.value())
                        .put("low", estimate.low())
                        .put("high", estimate.high());
            }
        }
    }

    private void hazard(ObjectNode json, HazardGroup hazard) {
        json.put("name", hazard.hazard().displayName());
        json.put("unsafe", hazard.named());
        group(json.putObject("by_unsafe"), hazard.byUnsafe());
        group(json.putObject("by_hazard"), hazard.byHazard());
        ArrayNode guards = json.putArray("guards");
        for (int i = 0; i < hazard.curves().size(); i++) {
            ObjectNode one =
                    guards.addObject().put("named_first", hazard.first().get(i));
            curve(one, hazard.curves().get(i));
        }
    }

    private void comparison(ObjectNode json, Comparison comparison) {
        agreement(json.putObject("own_thresholds"), comparison.own());
        agreement(json.putObject("same_threshold"), comparison.common());
        json.put("mean_difference", comparison.mean());
        distribution(json.putObject("distance"), comparison.distances());
        ObjectNode hazards = json.putObject("hazard_distances");
        comparison.hazards().forEach((hazard, of) -> distribution(hazards.putObject(hazard.code()), of));
        ArrayNode histogram = json.putArray("histogram");
        for (int bin = 0; bin < comparison.histogram().size(); bin++) {
            histogram
                    .addObject()
                    .put("from", Comparison.binStart(bin))
                    .put("to", Comparison.binStart(bin + 1))
                    .put("rows", comparison.histogram().get(bin));
        }
        examples(json.putArray("most_different"), comparison.mostDifferent());
    }

    private static void agreement(ObjectNode json, Agreement agreement) {
        json.putArray("thresholds").add(agreement.firstThreshold()).add(agreement.secondThreshold());
        json.put("rows", agreement.rows());
        json.put("same_verdict", agreement.share());
        json.put("both_unsafe", agreement.bothUnsafe());
        json.put("both_safe", agreement.bothSafe());
        json.put("only_a_unsafe", agreement.onlyFirst());
        json.put("only_b_unsafe", agreement.onlySecond());
        json.put("a_right", agreement.firstRight());
        json.put("b_right", agreement.secondRight());
    }

    private void examples(ArrayNode json, List<Judged> rows) {
        for (Judged row : rows) {
            ObjectNode one = json.addObject().put("line", row.row().line());
            one.put("label", row.row().unsafe() ? "unsafe" : "safe");
            row.row().set().ifPresent(set -> one.put("set", set));
            ArrayNode unsafe = one.putArray("p_unsafe");
            ArrayNode milliseconds = one.putArray("milliseconds");
            for (int i = 0; i < study.candidates().size(); i++) {
                unsafe.add(row.unsafe(i));
                milliseconds.add(row.answers().get(i).milliseconds());
            }
            if (report.showTexts()) {
                one.put("text", row.row().text());
            }
        }
    }

    private static void suggestion(ObjectNode json, ThresholdSuggestion suggestion) {
        json.put("wished_fpr", suggestion.wished());
        json.put("safe", suggestion.safe());
        json.put("unsafe", suggestion.unsafe());
        json.put("flagged", suggestion.flagged());
        json.put("found", suggestion.found());
        cuts(json.putArray("thresholds"), suggestion.together());
        cuts(json.putArray("alone"), suggestion.alone());
        ArrayNode notes = json.putArray("notes");
        suggestion.notes().forEach(notes::add);
    }

    private static void cuts(ArrayNode json, List<Cut> cuts) {
        cuts.forEach(cut -> json.addObject()
                .put("key", cut.key())
                .put("threshold", cut.threshold())
                .put("flagged", cut.flagged())
                .put("found", cut.found())
                .put("unsafe", cut.unsafe()));
    }
}
