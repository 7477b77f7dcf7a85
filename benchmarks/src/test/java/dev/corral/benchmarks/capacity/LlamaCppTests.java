package dev.corral.benchmarks.capacity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class LlamaCppTests {

    @Test
    void shortestWhenThereAreSamplesIsTheShortest() throws IOException {
        assertThat(LlamaCpp.shortest("[{\"n_prompt\": 64, \"samples_ns\": [157000000, 156000000, 160000000]}]"))
                .isEqualTo(156_000_000L);
    }

    @Test
    void shortestWhenThereAreNoSamplesSaysWhatWasPrinted() {
        assertThatThrownBy(() -> LlamaCpp.shortest("[]"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no samples: []");
        assertThatThrownBy(() -> LlamaCpp.shortest("error: no model"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no JSON");
    }
}
