package dev.corral.quantization.replica;

import java.util.List;
import java.util.Optional;

/**
 * The geometry of a guard model.
 *
 * @param id such as {@code llama-guard-3-1b}
 * @param layers decoder layers
 * @param hidden width of the residual stream
 * @param intermediate width of the MLP
 * @param heads query heads
 * @param kvHeads key and value heads
 */
public record ReplicaShape(String id, int layers, int hidden, int intermediate, int heads, int kvHeads) {

    /** Those of Meta's guards; the pruned one is what Meta's int4 release was quantised from. */
    public static final List<ReplicaShape> ALL = List.of(
            new ReplicaShape("llama-guard-3-1b", 16, 2048, 8192, 32, 8),
            new ReplicaShape("llama-guard-3-1b-pruned", 12, 2048, 6400, 32, 8),
            new ReplicaShape("llama-guard-3-8b", 32, 4096, 14336, 32, 8));

    static final int VOCABULARY = 128_256;

    public ReplicaShape {
        if (layers < 1) {
            throw new IllegalArgumentException("the number of layers must be at least 1: " + layers);
        }
    }

    /** The shape with this exact name, or empty. */
    public static Optional<ReplicaShape> byId(String id) {
        return ALL.stream().filter(shape -> shape.id.equals(id)).findFirst();
    }

    /** The same with another number of layers. */
    public ReplicaShape withLayers(int other) {
        return new ReplicaShape(id, other, hidden, intermediate, heads, kvHeads);
    }

    int headSize() {
        return hidden / heads;
    }
}
