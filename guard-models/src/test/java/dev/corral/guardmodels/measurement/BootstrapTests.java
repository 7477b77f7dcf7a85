package dev.corral.guardmodels.measurement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BootstrapTests {

    private static final Bootstrap BOOTSTRAP = new Bootstrap(2000, 1);

    private static Bootstrap.Estimates estimate(Bootstrap bootstrap, List<Judged> rows, int guards) {
        boolean[] unsafe = new boolean[rows.size()];
        for (int i = 0; i < unsafe.length; i++) {
            unsafe[i] = rows.get(i).row().unsafe();
        }
        return bootstrap.estimate(
                unsafe,
                IntStream.range(0, guards)
                        .mapToObj(g ->
                                rows.stream().mapToDouble(row -> row.unsafe(g)).toArray())
                        .toList(),
                Collections.nCopies(guards, 0.6));
    }

    @Test
    void estimateWhenAShareIsMeasuredGivesTheBinomialInterval() {
        List<Judged> rows = Rows.random(3, 900, 1);
        Bootstrap.Estimates estimates = estimate(BOOTSTRAP, rows, 1);
        Estimate recall = estimates.byGuard().getFirst().get(Measure.RECALL);
        long unsafe = rows.stream().filter(row -> row.row().unsafe()).count();
        double spread = 1.96 * Math.sqrt(recall.value() * (1 - recall.value()) / unsafe);
        assertThat(recall.low()).isCloseTo(recall.value() - spread, within(0.2 * spread));
        assertThat(recall.high()).isCloseTo(recall.value() + spread, within(0.2 * spread));
    }

    @Test
    void estimateWhenAreaIsMeasuredGivesHanleyAndMcNeilsInterval() {
        List<Judged> rows = Rows.random(4, 900, 1);
        Estimate auc = estimate(BOOTSTRAP, rows, 1).byGuard().getFirst().get(Measure.AUC);
        double a = auc.value();
        double unsafe = rows.stream().filter(row -> row.row().unsafe()).count();
        double safe = rows.size() - unsafe;
        double q1 = a / (2 - a);
        double q2 = 2 * a * a / (1 + a);
        double spread = 1.96
                * Math.sqrt((a * (1 - a) + (unsafe - 1) * (q1 - a * a) + (safe - 1) * (q2 - a * a)) / (unsafe * safe));
        assertThat(auc.high() - auc.low()).isCloseTo(2 * spread, within(0.5 * spread));
    }

    @Test
    void estimateWhenSeedIsTheSameGivesTheSameWhateverTheOrder() {
        List<Judged> rows = Rows.random(5, 200, 2);
        List<Judged> shuffled = new ArrayList<>(rows);
        Collections.shuffle(shuffled, new Random(1));
        Bootstrap bootstrap = new Bootstrap(200, 7);
        assertThat(estimate(bootstrap, shuffled, 2)).isEqualTo(estimate(bootstrap, rows, 2));
        assertThat(estimate(new Bootstrap(200, 8), rows, 2)).isNotEqualTo(estimate(bootstrap, rows, 2));
    }

    @Test
    void estimateWhenBothGuardsSayTheSameFindsNoDifference() {
        List<Judged> rows = Rows.random(6, 200, 1).stream()
                .map(row -> new Judged(
                        row.row(),
                        List.of(row.answers().getFirst(), row.answers().getFirst())))
                .toList();
        Bootstrap.Estimates estimates = estimate(new Bootstrap(200, 1), rows, 2);
        assertThat(estimates.difference().values()).containsOnly(new Estimate(0, 0, 0));
        assertThat(estimates.byGuard().getFirst()).isEqualTo(estimates.byGuard().getLast());
    }

    @Test
    void estimateWhenGuardsDifferJudgesTheirDifferenceOnTheSameDraws() {
        Bootstrap.Estimates estimates = estimate(new Bootstrap(500, 1), Rows.random(7, 600, 2), 2);
        Estimate difference = estimates.difference().get(Measure.AUC);
        Estimate one = estimates.byGuard().getFirst().get(Measure.AUC);
        assertThat(difference.high() - difference.low()).isLessThan((one.high() - one.low()) / 2);
    }

    @Test
    void estimateWhenOneKindIsMissingLeavesOutWhatNeedsIt() {
        List<Judged> unsafe =
                Rows.random(8, 60, 1).stream().filter(row -> row.row().unsafe()).toList();
        Map<Measure, Estimate> figures =
                estimate(new Bootstrap(100, 1), unsafe, 1).byGuard().getFirst();
        assertThat(figures.keySet()).containsExactly(Measure.F1, Measure.RECALL);
        List<Judged> safe = Rows.random(8, 60, 1).stream()
                .filter(row -> !row.row().unsafe())
                .toList();
        assertThat(estimate(new Bootstrap(100, 1), safe, 1).byGuard().getFirst().keySet())
                .containsExactly(Measure.FALSE_POSITIVES);
    }

    @Test
    void distributionWhenQuantilesLieBetweenValuesInterpolates() {
        Distribution of = Distribution.of(new double[] {4, 1, 3, 2, 5, 6, 7, 8, 9, 10, 11});
        assertThat(of).isEqualTo(new Distribution(11, 6, 6, 10, 10.9, 11));
    }
}
