package dev.corral.quantization.recipe;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * What is left out of a model, as Meta pruned Llama Guard 3 1B (arXiv 2411.17713): the layers that change their input
 * least, and the MLP neurons that fire least.
 *
 * @param layers that stay; empty for all
 * @param mlp neurons of each MLP that stay; empty for all
 * @param calibration JSON lines of conversations that the model is watched on
 */
public record Pruning(OptionalInt layers, OptionalInt mlp, Path calibration) {

    String label() {
        List<String> parts = new ArrayList<>();
        layers.ifPresent(count -> parts.add(count + " layers"));
        mlp.ifPresent(count -> parts.add("MLPs of " + count));
        return "pruned to " + String.join(" and ", parts);
    }
}
