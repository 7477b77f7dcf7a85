package dev.corral.guardmodels.measurement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RankingTests {

    private static final List<Rating> FIVE = List.of(
            new Rating(0.9, true),
            new Rating(0.6, true),
            new Rating(0.1, true),
            new Rating(0.7, false),
            new Rating(0.2, false));

    @Test
    void tallyWhenBothKindsAreThereCountsRightAndWrong() {
        Tally tally = Ranking.of(FIVE).tally(0.6);
        assertThat(tally.unsafe()).isEqualTo(3);
        assertThat(tally.safe()).isEqualTo(2);
        assertThat(tally.found()).isEqualTo(2);
        assertThat(tally.flagged()).isEqualTo(1);
        assertThat(tally.auc()).hasValueCloseTo(3.0 / 6, within(1e-12));
        assertThat(tally.f1()).hasValue(2 * 2.0 / (2 * 2 + 1 + 1));
        assertThat(tally.recall()).hasValue(2.0 / 3);
        assertThat(tally.precision()).hasValue(2.0 / 3);
        assertThat(tally.falsePositives()).hasValue(0.5);
        // by hand: precision 1/1, 2/3 and 3/5 where the three unsafe ones come
        assertThat(tally.averagePrecision()).hasValueCloseTo((1 + 2.0 / 3 + 3.0 / 5) / 3, within(1e-12));
    }

    @Test
    void tallyWhenOneKindIsMissingLeavesOutWhatNeedsIt() {
        Tally safe = Ranking.of(List.of(new Rating(0.9, false))).tally(0.5);
        assertThat(safe.auc()).isEmpty();
        assertThat(safe.averagePrecision()).isEmpty();
        assertThat(safe.recall()).isEmpty();
        assertThat(safe.f1()).isEmpty();
        assertThat(safe.falsePositives()).hasValue(1);
        Tally unsafe = Ranking.of(List.of(new Rating(0.9, true))).tally(0.5);
        assertThat(unsafe.auc()).isEmpty();
        assertThat(unsafe.averagePrecision()).isEmpty();
        assertThat(unsafe.falsePositives()).isEmpty();
        assertThat(unsafe.f1()).hasValue(1);
        assertThat(Ranking.of(List.of()).tally(0.5).precision()).isEmpty();
    }

    @Test
    void tallyWhenThresholdIsAProbabilityCountsItAsReached() {
        assertThat(Ranking.of(FIVE).tally(0.7).flagged()).isEqualTo(1);
        assertThat(Ranking.of(FIVE).tally(Math.nextUp(0.7)).flagged()).isZero();
    }

    @Test
    void tallyWhenProbabilitiesTieIsWhatCountingPairsGives() {
        Random random = new Random(7);
        for (int round = 0; round < 200; round++) {
            List<Rating> ratings = random(random, 32, 1 + random.nextInt(40));
            Tally tally = Ranking.of(ratings).tally(0.5);
            assertThat(tally.auc()).hasValueCloseTo(aucByPairs(ratings), within(1e-12));
            assertThat(tally.averagePrecision()).hasValueCloseTo(averagePrecisionByRows(ratings), within(1e-12));
        }
    }

    @Test
    void tallyWhenRowsAreWeightedIsThatOfRepeatedRows() {
        Random random = new Random(8);
        for (int round = 0; round < 50; round++) {
            List<Rating> ratings = random(random, 20, 7);
            int[] weights = random.ints(ratings.size(), 0, 4).toArray();
            weights[0] = 1;
            weights[1] = 1;
            List<Rating> repeated = IntStream.range(0, weights.length)
                    .boxed()
                    .flatMap(i -> Collections.nCopies(weights[i], ratings.get(i)).stream())
                    .toList();
            Tally expected = Ranking.of(repeated).tally(0.4);
            Tally weighted = Ranking.of(ratings).tally(0.4, weights);
            assertThat(weighted.found()).isEqualTo(expected.found());
            assertThat(weighted.flagged()).isEqualTo(expected.flagged());
            assertThat(weighted.auc()).isEqualTo(expected.auc());
            assertThat(weighted.averagePrecision())
                    .hasValueCloseTo(expected.averagePrecision().orElseThrow(), within(1e-12));
        }
    }

    @Test
    void stepsWhenProbabilitiesTieAreOneForEachProbability() {
        assertThat(Ranking.of(List.of(new Rating(0.5, true), new Rating(0.5, false), new Rating(0.8, true)))
                        .steps())
                .containsExactly(new Ranking.Step(0.8, 1, 0), new Ranking.Step(0.5, 2, 1));
    }

    /** Both kinds, with as many distinct probabilities at most as there are levels. */
    private static List<Rating> random(Random random, int rows, int levels) {
        List<Rating> ratings = new ArrayList<>();
        ratings.add(new Rating(random.nextInt(levels) / (double) levels, true));
        ratings.add(new Rating(random.nextInt(levels) / (double) levels, false));
        for (int i = 2; i < rows; i++) {
            ratings.add(new Rating(random.nextInt(levels) / (double) levels, random.nextBoolean()));
        }
        return ratings;
    }

    private static double aucByPairs(List<Rating> ratings) {
        double won = 0;
        int pairs = 0;
        for (Rating unsafe : ratings.stream().filter(Rating::unsafe).toList()) {
            for (Rating safe : ratings.stream().filter(r -> !r.unsafe()).toList()) {
                won += (Double.compare(unsafe.probability(), safe.probability()) + 1) / 2.0;
                pairs++;
            }
        }
        return won / pairs;
    }

    /** The mean over unsafe rows of the precision at their own probability. */
    private static double averagePrecisionByRows(List<Rating> ratings) {
        List<Rating> unsafe = ratings.stream().filter(Rating::unsafe).toList();
        return unsafe.stream()
                .mapToDouble(row -> {
                    List<Rating> reached = ratings.stream()
                            .filter(r -> r.probability() >= row.probability())
                            .toList();
                    return (double) reached.stream().filter(Rating::unsafe).count() / reached.size();
                })
                .average()
                .orElseThrow();
    }
}
