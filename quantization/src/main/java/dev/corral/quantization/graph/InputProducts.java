package dev.corral.quantization.graph;

import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Recipe;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * The first layers of an fp32 decoder with more outputs: for everything that a calibrated matrix of some layers is
 * multiplied with the products of its columns with each other, XᵀX (columns, columns), so that no activations leave it.
 */
public final class InputProducts {

    private static final long BYTES_A_PRODUCT = Double.BYTES + Float.BYTES;

    private final OnnxGraph graph;
    private final List<Watched> watched;

    private InputProducts(OnnxGraph graph, List<Watched> watched) {
        this.graph = graph;
        this.watched = List.copyOf(watched);
    }

    /**
     * A matrix whose inputs are told of.
     *
     * @param name of the value that its product with them is
     * @param products the output that tells
     */
    record Watched(String name, String products, Matrix matrix, int blockSize) {}

    /**
     * Builds the graph of the layers before {@code end} that tells of those from {@code first} on; the checkpoint must
     * stay open until the matrices are rounded.
     */
    public static InputProducts build(
            LlamaConfig config, Checkpoint weights, Recipe recipe, Matrix head, Kept kept, int first, int end) {
        List<Watched> watched = new ArrayList<>();
        LlamaGraph.Way way =
                (layer, _, format, _) -> layer >= first && format instanceof Format.Int4 int4 && int4.calibrated()
                        ? new LinearLayer.Watched(int4, watched)
                        : new LinearLayer.Fp32();
        return new InputProducts(LlamaGraph.build(config, weights, recipe, head, kept, end, way), watched);
    }

    public OnnxGraph graph() {
        return graph;
    }

    /** The outputs and how many columns each tells of. */
    public SequencedMap<String, Integer> outputs() {
        SequencedMap<String, Integer> outputs = new TreeMap<>();
        watched.forEach(each -> outputs.put(each.products(), each.matrix().columns()));
        return outputs;
    }

    /** Memory that the sums of all outputs take, and what a run tells. */
    public long bytes() {
        return outputs().values().stream()
                .mapToLong(columns -> BYTES_A_PRODUCT * columns * columns)
                .sum();
    }

    /**
     * Rounds the matrices that an output tells of.
     *
     * @param products the output, added up over all texts; taken over, and changed
     * @return the matrices by name
     */
    public Map<String, RoundedMatrix> round(String output, double[][] products) {
        ErrorFeedback feedback = new ErrorFeedback(products);
        Map<String, RoundedMatrix> rounded = new HashMap<>();
        for (Watched each : watched) {
            if (each.products().equals(output)) {
                rounded.put(each.name(), feedback.round(each.name(), each.matrix(), each.blockSize()));
            }
        }
        return rounded;
    }
}
