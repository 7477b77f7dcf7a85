package dev.corral.policies.assessment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.corral.policies.assessment.Assessment.Scored;
import dev.corral.policies.assessment.Coverage.Extent;
import dev.corral.policies.assessment.Coverage.Unscanned;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.StandardHazard;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AssessmentTests {

    @ParameterizedTest
    @ValueSource(doubles = {-0.0001, 1.0001, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
    void probabilityWhenOutOfRangeThrows(double value) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Probability(value))
                .withMessage("a probability must be between 0 and 1: " + value);
    }

    @Test
    void probabilityWhenComparedOrdersByValue() {
        assertThat(Probability.ZERO).isLessThan(new Probability(0.5));
        assertThat(Probability.ONE).isGreaterThan(new Probability(0.5));
    }

    @Test
    void scoredWhenGivenMapChangesKeepsItsOwnInOrder() {
        Map<Hazard, Probability> hazards = new LinkedHashMap<>();
        hazards.put(StandardHazard.S9, new Probability(0.2));
        hazards.put(StandardHazard.S1, new Probability(0.1));
        Scored scored = new Scored(new Probability(0.3), hazards, Coverage.NOTHING);

        hazards.clear();

        assertThat(scored.hazards().keySet()).containsExactly(StandardHazard.S9, StandardHazard.S1);
        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(() -> scored.hazards().put(StandardHazard.S2, Probability.ONE));
    }

    @Test
    void scoredWhenHazardsAddUpToLessThanUnsafeLeavesTheRestUnnamed() {
        Map<Hazard, Probability> hazards = Map.of(StandardHazard.S1, new Probability(0.25));

        assertThat(new Scored(new Probability(0.75), hazards, Coverage.NOTHING).unnamed())
                .isEqualTo(new Probability(0.5));
        assertThat(new Scored(new Probability(0.25 + 1e-9), hazards, Coverage.NOTHING).unnamed())
                .isEqualTo(Probability.ZERO);
        assertThat(new Scored(new Probability(0.1), hazards, Coverage.NOTHING).unnamed())
                .isEqualTo(Probability.ZERO);
        assertThat(new Scored(new Probability(0.1), hazards, Coverage.NOTHING).meaning())
                .isEqualTo(Meaning.FIRST_HAZARD);
    }

    @Test
    void orWhenMeaningsDifferIsTheOneThatPromisesLess() {
        assertThat(Meaning.FIRST_HAZARD.or(Meaning.ALL_HAZARDS)).isEqualTo(Meaning.ALL_HAZARDS);
        assertThat(Meaning.VERDICT.or(Meaning.FIRST_HAZARD)).isEqualTo(Meaning.VERDICT);
    }

    @Test
    void plusWhenTwoCoveragesAddsExtentsAndKeepsWhatWasLeftOut() {
        Unscanned sound = new Unscanned("sound", "messages[0].content[1]", "the guard reads text only");
        Coverage partial = new Coverage(new Extent(10, 30), new Extent(0, 1), List.of(sound));

        assertThat(partial.plus(Coverage.ofText(5)))
                .isEqualTo(new Coverage(new Extent(15, 35), new Extent(0, 1), List.of(sound)));
        assertThat(partial.plus(Coverage.NOTHING)).isEqualTo(partial);
    }

    @Test
    void extentWhenMoreIsScannedThanThereIsThrows() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Extent(2, 1))
                .withMessage("scanned must be between 0 and total: 2 of 1");
        assertThatIllegalArgumentException().isThrownBy(() -> new Extent(-1, 1));
    }
}
