package dev.corral.benchmarks.traffic;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.benchmarks.BenchCommand;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class SoakBenchTests {

    @Test
    void soakWhenShortLosesNothing() {
        soak(400);
    }

    @Tag("slow")
    @Test
    void soakWhenLongLosesNothing() {
        soak(20_000);
    }

    private static void soak(int requests) {
        StringWriter out = new StringWriter();
        int code = BenchCommand.commandLine()
                .setOut(new PrintWriter(out))
                .execute("soak", "--requests", Integer.toString(requests));
        assertThat(code).as(out.toString()).isZero();
        assertThat(out.toString())
                .contains("%6d answered, %5d given up by the client, 0 wrong, 0 LEAK lines"
                        .formatted(requests * 9 / 10, requests / 10));
    }
}
