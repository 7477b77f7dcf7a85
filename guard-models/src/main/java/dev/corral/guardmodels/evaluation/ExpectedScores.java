package dev.corral.guardmodels.evaluation;

import dev.corral.guardmodels.measurement.Distribution;
import dev.corral.guardmodels.measurement.Judged;
import dev.corral.guardmodels.report.Report;
import dev.corral.policies.assessment.Probability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Another model's P(unsafe) of each line that is not blank. */
final class ExpectedScores {

    private static final JsonMapper JSON = new JsonMapper();

    private final double[] scores;

    private ExpectedScores(double[] scores) {
        this.scores = scores;
    }

    /**
     * Reads a JSON array.
     *
     * @param count of lines
     * @throws IOException if it cannot be read, or is no array of so many numbers
     */
    static ExpectedScores read(Path file, int count) throws IOException {
        JsonNode array;
        try {
            array = JSON.readTree(Files.readAllBytes(file));
        } catch (JacksonException e) {
            throw new IOException(file + " is not valid JSON: " + e.getOriginalMessage(), e);
        }
        if (!array.isArray() || array.size() < count) {
            throw new IOException(
                    file + " must be an array of at least " + count + " probabilities, one for each line: "
                            + (array.isArray() ? array.size() + " there are" : "it is no array"));
        }
        for (JsonNode element : array) {
            if (!element.isNumber()) {
                throw new IOException(file + " must hold numbers only: " + element);
            }
        }
        return new ExpectedScores(IntStream.range(0, count)
                .mapToDouble(i -> array.get(i).doubleValue())
                .toArray());
    }

    Report.Expected agreement(List<Judged> judged, Probability threshold) {
        Distribution distances = Distribution.of(judged.stream()
                .mapToDouble(one -> Math.abs(one.unsafe(0) - scores[one.row().index()]))
                .toArray());
        long same = judged.stream()
                .filter(one ->
                        one.unsafe(0) >= threshold.value() == scores[one.row().index()] >= threshold.value())
                .count();
        return new Report.Expected(judged.size(), (double) same / judged.size(), distances.max(), distances.mean());
    }
}
