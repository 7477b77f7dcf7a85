package dev.corral.guardmodels.report;

import dev.corral.guardmodels.dataset.BrokenLineException;
import dev.corral.guardmodels.measurement.Study;
import dev.corral.guardmodels.measurement.ThresholdSuggestion;
import dev.corral.policies.assessment.Assessment.Inconclusive;
import java.util.List;
import java.util.Optional;

/**
 * Everything that is told of a measurement.
 *
 * @param data the file's name
 * @param broken its lines that were skipped
 * @param unjudged rows that are left out, because a guard came to no verdict
 * @param conditions how it was measured
 * @param expected agreement with another model's probabilities, where they were given
 * @param suggestion thresholds, where they were wished for
 * @param showTexts whether examples may show what people wrote
 */
public record Report(
        String data,
        List<BrokenLineException> broken,
        List<Unjudged> unjudged,
        Conditions conditions,
        Study study,
        Optional<Expected> expected,
        Optional<ThresholdSuggestion> suggestion,
        boolean showTexts) {

    /** A row that a guard came to no verdict on. */
    public record Unjudged(int line, String candidate, Inconclusive why) {}

    /**
     * How it was measured.
     *
     * @param resamples draws for the confidence intervals
     * @param seed of the draws
     * @param lanes rows that were judged at the same time
     */
    public record Conditions(int resamples, long seed, int lanes) {}

    /**
     * Agreement with a file of another model's probabilities.
     *
     * @param same share of rows with the same verdict at the guard's threshold
     * @param largest distance of P(unsafe)
     * @param mean distance of P(unsafe)
     */
    public record Expected(int rows, double same, double largest, double mean) {}

    /** Whether two guards are compared. */
    boolean isComparison() {
        return study.comparison().isPresent();
    }
}
