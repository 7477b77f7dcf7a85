package dev.corral.quantization.pruning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.corral.quantization.graph.Kept;
import dev.corral.quantization.recipe.Pruning;
import dev.corral.quantization.recipe.RecipeException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class ImportanceTests {

    private final Importance importance = new Importance(
            new double[] {0.9, 0.1, 0.5, 0.1}, new double[][] {{3, 1, 2}, {1, 1, 1}, {0, 5, 4}, {7, 8, 9}});

    @Test
    void keepWhenBothAreCutTakesWhatMattersMostInOrder() {
        assertThat(importance.keep(pruning(OptionalInt.of(3), OptionalInt.of(2))))
                .isEqualTo(new Kept(List.of(0, 1, 2), List.of(List.of(0, 2), List.of(0, 1), List.of(1, 2))));
    }

    @Test
    void keepWhenOnlyNeuronsAreCutTakesAllLayers() {
        assertThat(importance.keep(pruning(OptionalInt.empty(), OptionalInt.of(1))))
                .isEqualTo(new Kept(List.of(0, 1, 2, 3), List.of(List.of(0), List.of(0), List.of(1), List.of(2))));
    }

    @Test
    void keepWhenMoreIsWantedThanThereIsSaysSo() {
        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> importance.keep(pruning(OptionalInt.of(5), OptionalInt.empty())))
                .withMessage("5 layers cannot be kept: the model has 4");
        assertThatExceptionOfType(RecipeException.class)
                .isThrownBy(() -> importance.keep(pruning(OptionalInt.empty(), OptionalInt.of(4))))
                .withMessage("4 neurons in an MLP cannot be kept: the model has 3");
    }

    private static Pruning pruning(OptionalInt layers, OptionalInt mlp) {
        return new Pruning(layers, mlp, Path.of("calibration.jsonl"));
    }
}
