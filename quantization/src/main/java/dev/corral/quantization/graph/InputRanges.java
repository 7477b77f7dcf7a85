package dev.corral.quantization.graph;

import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Projection;
import dev.corral.quantization.recipe.Recipe;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * An fp32 decoder with more outputs: for everything that norms put out, and that calibrated activations are made of, how
 * far each of its columns reaches from zero (columns).
 */
public final class InputRanges {

    private final OnnxGraph graph;
    private final List<Ranged> seen;

    private InputRanges(OnnxGraph graph, List<Ranged> seen) {
        this.graph = graph;
        this.seen = List.copyOf(seen);
    }

    /**
     * A matrix whose inputs are told of.
     *
     * @param x the value that it is multiplied with
     * @param range the output that tells
     */
    record Ranged(String x, String range, Matrix matrix) {}

    /** Builds the graph; the checkpoint must stay open until {@link #smooth}. */
    public static InputRanges build(LlamaConfig config, Checkpoint weights, Recipe recipe, Matrix head, Kept kept) {
        List<Ranged> seen = new ArrayList<>();
        LlamaGraph.Way way = (_, projection, format, _) ->
                followsNorm(projection) && format instanceof Format.Int8 int8 && int8.calibrated()
                        ? new LinearLayer.Ranged(seen)
                        : new LinearLayer.Fp32();
        int layers = kept.layers().size();
        return new InputRanges(LlamaGraph.build(config, weights, recipe, head, kept, layers, way), seen);
    }

    private static boolean followsNorm(Projection projection) {
        return switch (projection) {
            case QKV, UP -> true;
            case OUTPUT, DOWN -> false;
        };
    }

    public OnnxGraph graph() {
        return graph;
    }

    /** The outputs and how many columns each tells of. */
    public SequencedMap<String, Integer> outputs() {
        SequencedMap<String, Integer> outputs = new TreeMap<>();
        seen.forEach(each -> outputs.put(each.range(), each.matrix().columns()));
        return outputs;
    }

    /**
     * Evens out what the outputs tell of.
     *
     * @param ranges by output, the farthest of all texts
     * @return by value
     */
    public Map<String, Smoothing> smooth(Map<String, float[]> ranges) {
        return seen.stream().collect(Collectors.groupingBy(Ranged::x)).entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey,
                        entry -> Smoothing.of(
                                Objects.requireNonNull(
                                        ranges.get(entry.getValue().getFirst().range())),
                                entry.getValue().stream().map(Ranged::matrix).toList())));
    }
}
