package dev.corral.benchmarks.conversion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.corral.benchmarks.Fixtures;
import dev.corral.benchmarks.figures.Row;
import dev.corral.benchmarks.figures.Table;
import dev.corral.quantization.replica.ReplicaShape;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkplaceTests {

    private static final ReplicaShape SHAPE = new ReplicaShape("smallest", 1, 64, 64, 2, 1);

    @TempDir
    private Path folder;

    @Test
    void quantiseWhenWeightsAreKeptLeavesNothingElse() throws Exception {
        try (Workplace workplace = Workplace.open(folder)) {
            Path weights = workplace.weights(SHAPE);
            assertThat(weights).isEqualTo(folder.resolve("smallest")).isDirectory();
            assertThat(workplace.weights(SHAPE)).isEqualTo(weights);
            Workplace.Made made = workplace.quantise(weights, List.of("--precision", "int4"));
            assertThat(made.guard().resolve("model.onnx")).isRegularFile();
            assertThat(made.usage().seconds()).isPositive();
            assertThat(made.mebibytes()).isBetween(4.0, 6.0);
            StringWriter out = new StringWriter();
            Table table = new Table(new PrintWriter(out), false);
            QuantizeBench.add(
                    made,
                    new QuantizeBench.Limits(Optional.empty(), Optional.empty(), Optional.of(new Row.Bar.OfValue(1))),
                    table);
            assertThat(out.toString()).contains("quantising: time").contains("at most 1.00 MiB: MISSED");
        }
        try (var left = Files.list(folder)) {
            assertThat(left).containsExactly(folder.resolve("smallest"));
        }
    }

    @Test
    void quantiseWhenRecipeIsWrongTellsWhatTheCommandSaid() throws IOException {
        try (Workplace workplace = Workplace.open(null)) {
            assertThatThrownBy(() -> workplace.quantise(Fixtures.WEIGHTS, List.of("--precision", "int3")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("a process of this bench failed")
                    .hasMessageContaining("int3");
        }
    }
}
