package dev.corral.benchmarks.figures;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TimesTests {

    @Test
    void quantilesWhenTimesAreUnorderedAreOfTheOrderedOnes() {
        Times times = new Times(10);
        for (int millis : new int[] {9, 2, 10, 1, 3, 8, 4, 7, 5, 6}) {
            times.add(millis);
        }
        assertThat(times.medianMillis()).isEqualTo(5);
        assertThat(times.p90Millis()).isEqualTo(9);
    }

    @Test
    void quantilesWhenThereIsOneTimeAreThatTime() {
        Times times = new Times(5);
        times.add(3);
        assertThat(times.medianMillis()).isEqualTo(3);
        assertThat(times.p90Millis()).isEqualTo(3);
    }
}
