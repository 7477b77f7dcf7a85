package dev.corral.quantization.graph;

import java.util.List;
import java.util.stream.IntStream;

/**
 * What a guard gets of a model's decoder.
 *
 * @param layers their numbers in the model, ascending
 * @param neurons of the MLP of each of these layers, ascending
 */
public record Kept(List<Integer> layers, List<List<Integer>> neurons) {

    public Kept {
        layers = List.copyOf(layers);
        neurons = neurons.stream().map(List::copyOf).toList();
        if (layers.size() != neurons.size()) {
            throw new IllegalArgumentException(
                    "%d layers need neurons each, not %d times".formatted(layers.size(), neurons.size()));
        }
    }

    /** All of it. */
    public static Kept all(LlamaConfig config) {
        List<Integer> neurons = IntStream.range(0, config.intermediate()).boxed().toList();
        return new Kept(
                IntStream.range(0, config.layers()).boxed().toList(),
                IntStream.range(0, config.layers()).mapToObj(_ -> neurons).toList());
    }
}
