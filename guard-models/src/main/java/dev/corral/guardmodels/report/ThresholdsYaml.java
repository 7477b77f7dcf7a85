package dev.corral.guardmodels.report;

import dev.corral.guardmodels.measurement.Candidate;
import dev.corral.guardmodels.measurement.ThresholdSuggestion;
import dev.corral.guardmodels.measurement.ThresholdSuggestion.Cut;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Suggested thresholds as a piece of a policy file: the key {@code thresholds}, and in comments where it comes from. */
public final class ThresholdsYaml {

    private ThresholdsYaml() {}

    /** The fragment; the same measurement gives the same text. */
    public static String of(Report report, ThresholdSuggestion suggestion) {
        Candidate candidate = report.study().candidates().getFirst();
        List<String> lines = new ArrayList<>();
        Stream.concat(
                        Stream.of(
                                "Thresholds for a false-positive rate of at most "
                                        + Numbers.percent(suggestion.wished())
                                        + ", from corral evaluate.",
                                "Guard: " + candidate.profile().id() + ", "
                                        + candidate.profile().precision() + ", fingerprint "
                                        + candidate.profile().fingerprint(),
                                "Data: " + report.data() + ", " + Sentences.rows(report)),
                        Sentences.suggestion(suggestion).stream())
                .map(line -> "# " + Numbers.printable(line))
                .forEach(lines::add);
        lines.add("thresholds:");
        int width = suggestion.together().stream()
                .mapToInt(cut -> entry(cut).length())
                .max()
                .orElse(0);
        for (Cut cut : suggestion.together()) {
            lines.add(String.format(
                    Locale.ROOT,
                    "  %-" + width + "s  # by itself: flags %s of %d safe rows, finds %s of %d unsafe ones%s",
                    entry(cut),
                    Sentences.share(cut.flagged(), suggestion.safe()),
                    suggestion.safe(),
                    Sentences.share(cut.found(), cut.unsafe()),
                    cut.unsafe(),
                    cut.equals(suggestion.together().getFirst()) ? "" : " that name it"));
        }
        return String.join("\n", lines) + "\n";
    }

    private static String entry(Cut cut) {
        return cut.key() + ": " + cut.threshold().toPlainString();
    }
}
