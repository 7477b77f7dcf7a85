package dev.corral.guardmodels.assess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.corral.guardmodels.assess.Metrics.Rating;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MetricsTests {

    @Test
    void ofWhenBothKindsAreThereCountsRightAndWrong() {
        Metrics metrics = Metrics.of(
                List.of(
                        new Rating(0.9, true),
                        new Rating(0.6, true),
                        new Rating(0.1, true),
                        new Rating(0.7, false),
                        new Rating(0.2, false)),
                0.6);
        assertThat(metrics.rows()).isEqualTo(5);
        assertThat(metrics.unsafe()).isEqualTo(3);
        assertThat(metrics.auc()).hasValueCloseTo(3.0 / 6, within(1e-12));
        assertThat(metrics.f1()).isEqualTo(2 * 2.0 / (2 * 2 + 1 + 1));
        assertThat(metrics.recall()).hasValue(2.0 / 3);
        assertThat(metrics.falsePositives()).hasValue(0.5);
    }

    @Test
    void ofWhenOneKindIsMissingLeavesOutWhatNeedsIt() {
        Metrics safe = Metrics.of(List.of(new Rating(0.9, false)), 0.5);
        assertThat(safe.auc()).isEmpty();
        assertThat(safe.recall()).isEmpty();
        assertThat(safe.falsePositives()).hasValue(1);
        assertThat(safe.f1()).isZero();
        Metrics unsafe = Metrics.of(List.of(new Rating(0.9, true)), 0.5);
        assertThat(unsafe.falsePositives()).isEmpty();
        assertThat(unsafe.f1()).isOne();
        assertThat(Metrics.of(List.of(), 0.5).f1()).isZero();
    }

    @Test
    void aucWhenProbabilitiesTieIsTheShareOfPairsInOrder() {
        Random random = new Random(7);
        for (int round = 0; round < 100; round++) {
            List<Rating> ratings = new ArrayList<>();
            ratings.add(new Rating(0.5, true));
            ratings.add(new Rating(0.5, false));
            for (int i = 0; i < 30; i++) {
                ratings.add(new Rating(random.nextInt(6) / 5.0, random.nextBoolean()));
            }
            assertThat(Metrics.of(ratings, 0.5).auc()).hasValueCloseTo(byPairs(ratings), within(1e-12));
        }
    }

    private static double byPairs(List<Rating> ratings) {
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
}
