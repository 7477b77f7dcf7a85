package dev.corral.guardmodels.report;

import dev.corral.guardmodels.measurement.Group;
import dev.corral.guardmodels.measurement.ThresholdSuggestion;
import dev.corral.guardmodels.measurement.ThresholdSuggestion.Cut;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What reports say in words. */
final class Sentences {

    private Sentences() {}

    /** How many rows of each kind, and how many were left out. */
    static String rows(Report report) {
        Group all = report.study().all();
        String rows = all.rows() + " rows, " + (all.rows() - all.unsafe()) + " safe and " + all.unsafe() + " unsafe";
        String broken = report.broken().isEmpty() ? "" : "; " + report.broken().size() + " broken lines skipped";
        long unjudged = report.unjudged().stream()
                .mapToInt(Report.Unjudged::line)
                .distinct()
                .count();
        return rows + broken + (unjudged == 0 ? "" : "; " + unjudged + " left out, without a verdict");
    }

    static String expected(Report.Expected expected) {
        return String.format(
                Locale.ROOT,
                "Same verdict as expected: %.4f of %d; P(unsafe) differs by %.5f at most, %.5f in the mean.",
                expected.same(),
                expected.rows(),
                expected.largest(),
                expected.mean());
    }

    static List<String> suggestion(ThresholdSuggestion suggestion) {
        List<String> sentences = new ArrayList<>();
        sentences.add(String.format(
                Locale.ROOT,
                "All suggested together, in a policy that blocks every hazard: flags %d of %d safe rows (%s), finds %d of %d"
                        + " unsafe ones (%s).",
                suggestion.flagged(),
                suggestion.safe(),
                share(suggestion.flagged(), suggestion.safe()),
                suggestion.found(),
                suggestion.unsafe(),
                share(suggestion.found(), suggestion.unsafe())));
        Cut alone = suggestion.alone().getFirst();
        sentences.add(String.format(
                Locale.ROOT,
                "Only a default threshold, %s: flags %d safe rows (%s), finds %d unsafe ones (%s).",
                alone.threshold().toPlainString(),
                alone.flagged(),
                share(alone.flagged(), suggestion.safe()),
                alone.found(),
                share(alone.found(), suggestion.unsafe())));
        sentences.addAll(suggestion.notes());
        return sentences;
    }

    static String share(long part, long whole) {
        return whole == 0 ? "none there" : Numbers.percent((double) part / whole);
    }
}
