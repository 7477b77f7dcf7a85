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
 * @param eyes what it sees images with, if it does
 */
public record ReplicaShape(
        String id, int layers, int hidden, int intermediate, int heads, int kvHeads, Optional<Eyes> eyes) {

    /** Those of Meta's guards; the pruned one is what Meta's int4 release was quantised from. */
    public static final List<ReplicaShape> ALL = List.of(
            new ReplicaShape("llama-guard-3-1b", 16, 2048, 8192, 32, 8),
            new ReplicaShape("llama-guard-3-1b-pruned", 12, 2048, 6400, 32, 8),
            new ReplicaShape("llama-guard-3-8b", 32, 4096, 14336, 32, 8),
            new ReplicaShape(
                    "llama-guard-3-11b-vision",
                    40,
                    4096,
                    14336,
                    32,
                    8,
                    Optional.of(new Eyes(
                            List.of(3, 8, 13, 18, 23, 28, 33, 38),
                            32,
                            8,
                            1280,
                            5120,
                            16,
                            560,
                            List.of(3, 7, 15, 23, 30)))));

    static final int VOCABULARY = 128_256;

    /**
     * An encoder of images.
     *
     * @param crossLayers of the decoder that look at the image
     * @param layers of the encoder, without and with gates
     * @param hidden width of its residual stream
     * @param imageSize width and height of a tile in pixels
     * @param seen layers whose outputs the decoder sees beside the last one
     */
    public record Eyes(
            List<Integer> crossLayers,
            int layers,
            int globalLayers,
            int hidden,
            int intermediate,
            int heads,
            int imageSize,
            List<Integer> seen) {

        static final int PATCH = 14;
        static final int TILES = 4;
        static final int ARRANGEMENTS = 9;

        public Eyes {
            crossLayers = List.copyOf(crossLayers);
            seen = List.copyOf(seen);
        }

        int tileTokens() {
            return (imageSize / PATCH) * (imageSize / PATCH) + 1;
        }

        int outputs() {
            return hidden * (1 + seen.size());
        }

        private Eyes below(int layer) {
            List<Integer> left =
                    crossLayers.stream().filter(cross -> cross < layer).toList();
            if (left.isEmpty()) {
                throw new IllegalArgumentException(
                        "the number of layers must be at least %d, so that one of them sees the image: %d"
                                .formatted(crossLayers.getFirst() + 1, layer));
            }
            return new Eyes(left, layers, globalLayers, hidden, intermediate, heads, imageSize, seen);
        }
    }

    /** Of a guard that reads text only. */
    public ReplicaShape(String id, int layers, int hidden, int intermediate, int heads, int kvHeads) {
        this(id, layers, hidden, intermediate, heads, kvHeads, Optional.empty());
    }

    public ReplicaShape {
        if (layers < 1) {
            throw new IllegalArgumentException("the number of layers must be at least 1: " + layers);
        }
    }

    /** The shape with this exact name, or empty. */
    public static Optional<ReplicaShape> byId(String id) {
        return ALL.stream().filter(shape -> shape.id.equals(id)).findFirst();
    }

    /**
     * The same with another number of decoder layers.
     *
     * @throws IllegalArgumentException if none is left, or none that sees the image
     */
    public ReplicaShape withLayers(int other) {
        return new ReplicaShape(id, other, hidden, intermediate, heads, kvHeads, eyes.map(found -> found.below(other)));
    }

    /** Rows of the embedding; a guard with eyes has a token for the image, and reserved ones, after the vocabulary. */
    int embeddingRows() {
        return eyes.isPresent() ? VOCABULARY + 8 : VOCABULARY;
    }

    int headSize() {
        return hidden / heads;
    }
}
