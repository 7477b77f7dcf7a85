package dev.corral.guardmodels.measurement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.corral.policies.taxonomy.StandardHazard;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StudyTests {

    private static final Bootstrap BOOTSTRAP = new Bootstrap(100, 1);
    private static final List<Candidate> ONE = List.of(Rows.CANDIDATE);
    private static final List<Candidate> TWO = List.of(Rows.candidate("A"), Rows.candidate("B"));

    @Test
    void ofWhenRowsAreShuffledSaysTheSame() {
        List<Judged> rows = Rows.random(11, 300, 2);
        List<Judged> shuffled = new ArrayList<>(rows);
        Collections.shuffle(shuffled, new Random(2));
        assertThat(Study.of(TWO, shuffled, BOOTSTRAP, 0.5, 10)).isEqualTo(Study.of(TWO, rows, BOOTSTRAP, 0.5, 10));
    }

    @Test
    void ofWhenRowsNameThemGroupsBySetLanguageAndHazard() {
        List<Judged> rows = Rows.random(12, 300, 1);
        Study study = Study.of(ONE, rows, BOOTSTRAP, 0.5, 10);
        assertThat(study.sets()).extracting(Group::name).containsExactly("<b>\"third\"", "first", "second");
        assertThat(study.languages()).extracting(Group::name).containsExactly("de", "en");
        assertThat(study.sets().stream().mapToInt(Group::rows).sum()).isEqualTo(300);
        assertThat(study.hazards()).extracting(group -> group.hazard().code()).containsExactly("S1", "S9", "S10");
        int safe = study.all().rows() - study.all().unsafe();
        assertThat(study.hazards()).allSatisfy(hazard -> {
            assertThat(hazard.byHazard().unsafe()).isEqualTo(hazard.named());
            assertThat(hazard.byHazard().rows()).isEqualTo(hazard.named() + safe);
        });
        assertThat(study.notes())
                .containsExactly("No unsafe row names S2, S3, S4, S5, S6, S7, S8, S11, S12, S13: nothing can be said of"
                        + " them.");
    }

    @Test
    void ofWhenRowsNameNothingHasNoGroups() {
        Study study = Study.of(
                ONE,
                List.of(
                        Rows.judged(Rows.row(1, true, "a"), StandardHazard.S1, 0.9),
                        Rows.judged(Rows.row(2, true, "b"), StandardHazard.S1, 0.2)),
                BOOTSTRAP,
                0.5,
                10);
        assertThat(study.sets()).isEmpty();
        assertThat(study.languages()).isEmpty();
        assertThat(study.hazards()).isEmpty();
        assertThat(study.notes())
                .containsExactly(
                        "All rows are unsafe: nothing can be said of AUC, average precision and false positives.",
                        "No unsafe row names a hazard in 'categories': nothing can be said of hazards.");
    }

    @Test
    void ofWhenHazardIsUnknownToTheGuardSaysSo() {
        Study study = Study.of(
                ONE,
                List.of(
                        Rows.judged(Rows.row(1, true, "a", "S14", "S1"), StandardHazard.S1, 0.9),
                        Rows.judged(Rows.row(2, false, "b", "S9"), StandardHazard.S1, 0.2)),
                BOOTSTRAP,
                0.5,
                10);
        assertThat(study.notes()).contains("1 unsafe rows name S14, which the guard does not look for.");
        assertThat(study.hazards()).extracting(HazardGroup::named).containsExactly(1);
    }

    @Test
    void ofWhenTwoAreComparedCountsVerdictsAndDistances() {
        List<Judged> rows = List.of(
                Rows.judged(Rows.row(1, true, "a"), StandardHazard.S1, 0.9, 0.8),
                Rows.judged(Rows.row(2, true, "b"), StandardHazard.S1, 0.7, 0.5),
                Rows.judged(Rows.row(3, false, "c"), StandardHazard.S1, 0.1, 0.65),
                Rows.judged(Rows.row(4, false, "d"), StandardHazard.S1, 0.2, 0.2));
        Comparison comparison =
                Study.of(TWO, rows, BOOTSTRAP, 0.4, 2).comparison().orElseThrow();
        assertThat(comparison.own()).isEqualTo(new Agreement(0.6, 0.6, 1, 1, 1, 1, 2));
        assertThat(comparison.own().share()).isEqualTo(0.5);
        assertThat(comparison.own().secondRight()).isZero();
        assertThat(comparison.common()).isEqualTo(new Agreement(0.4, 0.4, 2, 1, 0, 1, 1));
        assertThat(comparison.mean()).isCloseTo((-0.1 - 0.2 + 0.55) / 4, within(1e-12));
        assertThat(comparison.distances().mean()).isCloseTo(0.85 / 4, within(1e-12));
        assertThat(comparison.distances().max()).isCloseTo(0.55, within(1e-12));
        assertThat(comparison.mostDifferent())
                .extracting(one -> one.row().line())
                .containsExactly(3, 2);
        assertThat(comparison.histogram().stream().mapToInt(Integer::intValue).sum())
                .isEqualTo(4);
        assertThat(comparison.histogram().get(20)).isEqualTo(1);
    }

    @Test
    void curveWhenSweptIsWhatCountingGives() {
        List<Judged> rows = Rows.random(13, 2000, 1);
        Curve curve =
                Study.of(ONE, rows, BOOTSTRAP, 0.5, 0).details().getFirst().curve();
        for (int i = 0; i < Curve.THRESHOLDS.size(); i++) {
            double threshold = Curve.THRESHOLDS.get(i);
            List<Judged> reached =
                    rows.stream().filter(row -> row.unsafe(0) >= threshold).toList();
            double unsafe = reached.stream().filter(row -> row.row().unsafe()).count();
            double all = rows.stream().filter(row -> row.row().unsafe()).count();
            assertThat(curve.sweep().get(i).recall()).hasValueCloseTo(unsafe / all, within(1e-12));
            assertThat(curve.sweep().get(i).falsePositives())
                    .hasValueCloseTo((reached.size() - unsafe) / (rows.size() - all), within(1e-12));
        }
        assertThat(curve.points()).hasSizeLessThan(1500);
        assertThat(curve.points().getFirst().recall()).isEqualTo(OptionalDouble.of(0));
        assertThat(curve.points().getLast().recall()).isEqualTo(OptionalDouble.of(1));
        assertThat(curve.points().getLast().falsePositives()).isEqualTo(OptionalDouble.of(1));
    }

    @Test
    void calibrationWhenBinnedComparesMeansWithShares() {
        Calibration calibration = Calibration.of(Ranking.of(List.of(
                new Rating(0.02, false), new Rating(0.08, true), new Rating(0.95, true), new Rating(1.0, true))));
        assertThat(calibration.bins()).hasSize(2);
        assertThat(calibration.bins().getFirst().predicted()).isCloseTo(0.05, within(1e-12));
        assertThat(calibration.bins().getFirst().observed()).isEqualTo(0.5);
        assertThat(calibration.bins().getLast().rows()).isEqualTo(2);
        assertThat(calibration.error()).isCloseTo(0.45 / 2 + 0.025 / 2, within(1e-12));
        assertThat(calibration.brier()).isCloseTo((0.02 * 0.02 + 0.92 * 0.92 + 0.05 * 0.05) / 4, within(1e-12));
    }
}
