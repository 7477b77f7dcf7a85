package dev.corral.benchmarks.capacity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.benchmarks.BenchCommand;
import dev.corral.benchmarks.Fixtures;
import dev.corral.guardmodels.store.Precision;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ModelBenchTests {

    private static final List<String> TIMES = List.of(
            "prefix-16",
            "prefix-64",
            "prefix-128",
            "prefix-512",
            "prefix-2048",
            "cold-16",
            "cold-64",
            "cold-128",
            "cold-512",
            "cold-2048",
            "past-64",
            "turn-10",
            "stream-1000",
            "stream-1000-products",
            "callers-1",
            "callers-2",
            "callers-4",
            "callers-8");

    @TempDir
    private Path folder;

    @Test
    void modelWhenAskedForJsonGivesEachRowWithItsComparison() throws Exception {
        JsonNode section =
                bench(Fixtures.guard(folder, Precision.INT8)).path("sections").path(0);
        assertThat(section.path("name").asString()).startsWith("tiny: int8");
        Map<String, JsonNode> rows = section.path("rows")
                .valueStream()
                .collect(Collectors.toMap(row -> row.path("id").asString(), Function.identity()));
        assertThat(rows.keySet()).containsAll(TIMES).contains("memory-loaded", "llama-cpp");
        assertThat(TIMES).map(rows::get).allSatisfy(row -> {
            assertThat(row.path("best").asDouble()).isPositive();
            assertThat(row.path("median").asDouble()).isPositive();
            assertThat(row.path("compared_with").path("best").asDouble()).isPositive();
            assertThat(row.path("compared_with").path("ratio").asDouble()).isPositive();
        });
        assertThat(rows.get("prefix-64").path("limit").path("at_most").asDouble())
                .isEqualTo(1.35);
        assertThat(rows.get("past-64").path("limit").path("at_most").asDouble()).isEqualTo(1.3);
        assertThat(rows.get("stream-1000").path("limit").path("at_most").asDouble())
                .isEqualTo(2.5);
        assertThat(rows.get("llama-cpp").path("not_measured").asString()).contains("--llama-bench");
    }

    @Test
    void modelWhenGuardIsMissingSaysSo() {
        StringWriter err = new StringWriter();
        int code = BenchCommand.commandLine()
                .setErr(new PrintWriter(err))
                .setOut(new PrintWriter(new StringWriter()))
                .execute("model", "--guard", folder.resolve("none").toString());
        assertThat(code).isEqualTo(1);
        assertThat(err.toString()).contains("is not a directory").doesNotContain("\tat ");
    }

    @Test
    void modelWhenShapeIsUnknownNamesTheKnownOnes() {
        StringWriter err = new StringWriter();
        int code = BenchCommand.commandLine().setErr(new PrintWriter(err)).execute("model", "--shape", "llama-guard-9");
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains("llama-guard-3-1b-pruned").contains("llama-guard-9");
    }

    private static JsonNode bench(Path guard) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        BenchCommand.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute("model", "--guard", guard.toString(), "--rounds", "1", "--json");
        assertThat(err.toString()).isEmpty();
        return JsonMapper.shared().readTree(out.toString());
    }
}
