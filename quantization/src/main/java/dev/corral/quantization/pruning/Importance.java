package dev.corral.quantization.pruning;

import dev.corral.quantization.graph.Kept;
import dev.corral.quantization.recipe.Pruning;
import dev.corral.quantization.recipe.RecipeException;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** How much the parts of a decoder matter for a set of texts (arXiv 2411.17713). */
final class Importance {

    private final double[] layers;
    private final double[][] neurons;

    /**
     * What was found.
     *
     * @param layers for each the block importance (arXiv 2403.03853): 1 less the mean cosine of its input and output
     * @param neurons for each layer and MLP neuron the mean l2 norm of what it puts out over a text
     */
    Importance(double[] layers, double[][] neurons) {
        this.layers = layers.clone();
        this.neurons = neurons.clone();
    }

    /** What matters most; of equals the first. */
    Kept keep(Pruning pruning) {
        int layerCount = layers.length;
        int neuronCount = neurons[0].length;
        List<Integer> kept = best(layerCount, number("layers", pruning.layers(), layerCount), i -> layers[i]);
        int keptNeurons = number("neurons in an MLP", pruning.mlp(), neuronCount);
        return new Kept(
                kept,
                kept.stream()
                        .map(layer -> best(neuronCount, keptNeurons, i -> neurons[layer][i]))
                        .toList());
    }

    private static int number(String what, OptionalInt wanted, int all) {
        int number = wanted.orElse(all);
        if (number > all) {
            throw new RecipeException("%d %s cannot be kept: the model has %d".formatted(number, what, all));
        }
        return number;
    }

    private static List<Integer> best(int all, int kept, IntToDoubleFunction importance) {
        return IntStream.range(0, all)
                .boxed()
                .sorted(Comparator.comparingDouble(importance::applyAsDouble).reversed())
                .limit(kept)
                .sorted()
                .toList();
    }
}
