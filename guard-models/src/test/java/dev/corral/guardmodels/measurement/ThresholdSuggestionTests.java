package dev.corral.guardmodels.measurement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.guardmodels.measurement.ThresholdSuggestion.Cut;
import dev.corral.guardmodels.measurement.ThresholdSuggestion.UnreachableException;
import dev.corral.policies.taxonomy.StandardHazard;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class ThresholdSuggestionTests {

    /** Safe rows at 0.00, 0.01, ... 0.99, and so many unsafe ones at 0.955 that name S9. */
    private static List<Judged> ladder(int named) {
        List<Judged> rows = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            rows.add(Rows.judged(Rows.row(i + 1, false, "safe"), StandardHazard.S10, i / 100.0));
        }
        for (int i = 0; i < named; i++) {
            rows.add(Rows.judged(Rows.row(101 + i, true, "unsafe", "S9"), StandardHazard.S9, 0.955));
        }
        return rows;
    }

    @Test
    void ofWhenRowsAreEvenlyRatedTakesTheLowestThresholdThatKeepsToTheRate() throws Exception {
        ThresholdSuggestion suggestion = ThresholdSuggestion.of(Rows.CANDIDATE, ladder(20), 0.05);
        Cut alone = suggestion.alone().getFirst();
        assertThat(alone.key()).isEqualTo("default");
        assertThat(alone.threshold().doubleValue()).isGreaterThan(0.94).isLessThanOrEqualTo(0.95);
        assertThat(alone.flagged()).isEqualTo(5);
        assertThat(alone.found()).isEqualTo(20);
        assertThat(suggestion.together()).extracting(Cut::key).containsExactly("default", "S9");
        assertThat(suggestion.flagged()).isEqualTo(5);
        assertThat(suggestion.found()).isEqualTo(20);
    }

    @Test
    void ofWhenHazardsOverlapKeepsTheWholePolicyToTheRate() throws Exception {
        for (int seed = 1; seed <= 12; seed++) {
            List<Judged> rows = Rows.random(seed, 400, 1);
            double wished = 0.02 * seed;
            ThresholdSuggestion suggestion = ThresholdSuggestion.of(Rows.CANDIDATE, rows, wished);
            long safe = rows.stream().filter(row -> !row.row().unsafe()).count();
            assertThat(suggestion.together()).extracting(Cut::key).containsExactly("default", "S1", "S9", "S10");
            assertThat(suggestion.flagged()).isLessThanOrEqualTo((long) (wished * safe));
            assertThat(suggestion.together())
                    .allSatisfy(cut -> assertThat(cut.flagged()).isLessThanOrEqualTo(suggestion.flagged()));
            assertThat(suggestion.flagged()).isEqualTo(reachingAny(rows, suggestion.together(), false));
            assertThat(suggestion.found()).isEqualTo(reachingAny(rows, suggestion.together(), true));
        }
    }

    /** Rows of a kind that reach the threshold of P(unsafe) or that of a hazard, counted without a policy. */
    private static long reachingAny(List<Judged> rows, List<Cut> cuts, boolean unsafe) {
        return rows.stream()
                .filter(row -> row.row().unsafe() == unsafe)
                .filter(row -> cuts.stream()
                        .anyMatch(cut -> (cut.key().equals("default")
                                        ? row.unsafe(0)
                                        : row.hazard(0, StandardHazard.valueOf(cut.key())))
                                >= cut.threshold().doubleValue()))
                .count();
    }

    @Test
    void ofWhenAloneFlagsAsManyAsTheRateAllows() throws Exception {
        List<Judged> rows = Rows.random(3, 500, 1);
        double[] safe = rows.stream()
                .filter(row -> !row.row().unsafe())
                .mapToDouble(row -> row.unsafe(0))
                .toArray();
        Cut alone = ThresholdSuggestion.of(Rows.CANDIDATE, rows, 0.1).alone().getFirst();
        assertThat(alone.flagged()).isEqualTo((long) (0.1 * safe.length));
        double next = DoubleStream.of(safe)
                .filter(p -> p < alone.threshold().doubleValue())
                .max()
                .orElseThrow();
        assertThat(DoubleStream.of(safe).filter(p -> p >= next).count()).isGreaterThan((long) (0.1 * safe.length));
    }

    @Test
    void ofWhenFewRowsNameAHazardSaysWhyItHasNoThreshold() throws Exception {
        ThresholdSuggestion suggestion = ThresholdSuggestion.of(Rows.CANDIDATE, ladder(19), 0.05);
        assertThat(suggestion.together()).extracting(Cut::key).containsExactly("default");
        assertThat(suggestion.notes())
                .contains(
                        "S9: no threshold of its own, because only 19 unsafe rows name it; 20 are needed",
                        "S1, S2, S3, S4, S5, S6, S7, S8, S10, S11, S12, S13: no threshold of their own, because no unsafe"
                                + " row names them");
    }

    @Test
    void ofWhenSafeRowsAreTooFewSaysHowManyAreNeeded() {
        assertThatExceptionOfType(UnreachableException.class)
                .isThrownBy(() -> ThresholdSuggestion.of(Rows.CANDIDATE, ladder(20), 0.001))
                .withMessage("a false-positive rate of 0.001 needs at least 1000 safe rows: there are 100");
    }

    @Test
    void ofWhenTheGuardIsSureOfSafeRowsSaysSo() {
        List<Judged> rows = new ArrayList<>();
        for (int line = 1; line <= 10; line++) {
            rows.add(Rows.judged(Rows.row(line, false, "safe"), StandardHazard.S1, 1));
        }
        assertThatExceptionOfType(UnreachableException.class)
                .isThrownBy(() -> ThresholdSuggestion.of(Rows.CANDIDATE, rows, 0.2))
                .withMessageContaining("more safe rows than that a probability of 1");
    }

    @Test
    void ofWhenSomeSafeRowsAreSureKeepsToARateAboveThem() throws Exception {
        List<Judged> rows = ladder(20);
        rows.add(Rows.judged(Rows.row(500, false, "safe"), StandardHazard.S9, 1));
        ThresholdSuggestion suggestion = ThresholdSuggestion.of(Rows.CANDIDATE, rows, 0.05);
        assertThat(suggestion.flagged()).isBetween(1L, 5L);
    }

    @Test
    void shortestBetweenWhenBoundsAreGivenHasFewDigits() {
        assertThat(ThresholdSuggestion.shortestBetween(0.123, 0.20)).isEqualTo(new BigDecimal("0.16"));
        assertThat(ThresholdSuggestion.shortestBetween(0.1230001, 0.1239)).isEqualTo(new BigDecimal("0.1235"));
        assertThat(ThresholdSuggestion.shortestBetween(0, 0.00002)).isEqualTo(new BigDecimal("0.00001"));
        assertThat(ThresholdSuggestion.shortestBetween(0.999, 1)).isEqualTo(new BigDecimal("1.00"));
    }
}
