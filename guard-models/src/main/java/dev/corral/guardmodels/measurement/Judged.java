package dev.corral.guardmodels.measurement;

import dev.corral.guardmodels.dataset.LabelledRow;
import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import java.util.List;
import java.util.Map;

/**
 * A row and what each guard said.
 *
 * @param answers one for each candidate, in their order
 */
public record Judged(LabelledRow row, List<Answer> answers) {

    public Judged {
        answers = List.copyOf(answers);
    }

    /** A verdict and the time it took. */
    public record Answer(Scored scored, long nanoseconds) {

        public double milliseconds() {
            return nanoseconds / 1e6;
        }
    }

    public double unsafe(int candidate) {
        return answers.get(candidate).scored.unsafe().value();
    }

    /** The probability of a hazard; 0 where the guard does not look for it. */
    public double hazard(int candidate, Hazard hazard) {
        return answers.get(candidate)
                .scored
                .hazards()
                .getOrDefault(hazard, Probability.ZERO)
                .value();
    }

    /** Whether the likeliest hazard is one that the row names. */
    boolean namesFirst(int candidate) {
        return answers.get(candidate).scored.hazards().entrySet().stream()
                .max(Map.Entry.<Hazard, Probability>comparingByValue())
                .filter(first -> row.categories().contains(first.getKey().code()))
                .isPresent();
    }

    /** How far the second guard's P(unsafe) is from the first's. */
    public double difference() {
        return unsafe(1) - unsafe(0);
    }
}
