package dev.corral.benchmarks.capacity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.benchmarks.BenchCommand;
import dev.corral.benchmarks.Fixtures;
import dev.corral.guardmodels.store.Precision;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class VisionBenchTests {

    @TempDir
    private Path folder;

    @Test
    void visionWhenAskedForJsonGivesEachRowWithItsLimit() throws Exception {
        Path guard = Fixtures.seeingGuard(folder, Precision.INT4);
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        BenchCommand.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute("vision", "--guard", guard.toString(), "--threads", "2", "--json");
        assertThat(err.toString()).isEmpty();
        Map<String, JsonNode> rows = new JsonMapper()
                .readTree(out.toString())
                .path("sections")
                .path(0)
                .path("rows")
                .valueStream()
                .collect(Collectors.toMap(row -> row.path("id").asString(), Function.identity()));
        assertThat(rows.keySet()).contains("guard-disk", "load", "image-first", "image-next-turn");
        assertThat(rows.get("guard-disk").path("limit").path("at_most").asDouble())
                .isEqualTo(7680);
        assertThat(rows.get("image-next-turn").path("limit").path("at_most").asDouble())
                .isEqualTo(0.25);
        assertThat(rows.get("image-first").path("best").asDouble()).isPositive();
    }

    @Test
    void visionWhenGuardIsMissingSaysSo() {
        StringWriter err = new StringWriter();
        int code = BenchCommand.commandLine()
                .setErr(new PrintWriter(err))
                .setOut(new PrintWriter(new StringWriter()))
                .execute("vision", "--guard", folder.resolve("none").toString());
        assertThat(code).isEqualTo(1);
        assertThat(err.toString()).doesNotContain("\tat ");
    }
}
