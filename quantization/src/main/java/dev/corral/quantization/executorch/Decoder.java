package dev.corral.quantization.executorch;

import dev.corral.quantization.checkpoint.CheckpointException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The parts of a Llama decoder, found in what a program computes: from its logits back to its tokens.
 *
 * @param embedding tokens' values
 * @param layers first to last
 * @param norm before the head
 * @param head a row for each of {@code tokens}
 * @param tokens what the head's rows stand for
 * @param vocabulary tokens that there are
 * @param shape of attention, the same in all layers
 */
record Decoder(
        QuantisedMatrix embedding,
        List<Layer> layers,
        Norm norm,
        QuantisedMatrix head,
        Method.Value.Array tokens,
        long vocabulary,
        Shape shape) {

    Decoder {
        layers = List.copyOf(layers);
    }

    /** An RMS norm's weights, and the scalar that is added to the mean square. */
    record Norm(Method.Value.Array weights, Method.Value.Array epsilon) {}

    /**
     * How attention is cut into heads.
     *
     * @param cosines tables of the rotary embedding: a row a position, a column a pair of values
     */
    record Shape(long heads, long keyHeads, long headSize, Method.Value.Array cosines, Method.Value.Array sines) {}

    /** One layer; queries and keys are turned in pairs of neighbours, as Meta stores them. */
    record Layer(
            Norm attentionNorm,
            QuantisedMatrix query,
            QuantisedMatrix key,
            QuantisedMatrix value,
            QuantisedMatrix output,
            Norm mlpNorm,
            QuantisedMatrix gate,
            QuantisedMatrix up,
            QuantisedMatrix down) {

        List<QuantisedMatrix> matrices() {
            return List.of(query, key, value, output, gate, up, down);
        }
    }

    /**
     * Finds them.
     *
     * @param result what the program computes
     * @throws CheckpointException if it is anything else than a decoder with a pruned head
     */
    static Decoder of(Term result, String origin) {
        if (!(result
                instanceof
                Term.Scattered(
                        Term.Nothing(long vocabulary),
                        Term.Constant(int _, Method.Value.Array tokens),
                        Term.Product(QuantisedMatrix head, Term.Normal last)))) {
            throw new CheckpointException(
                    "%s: its logits are not those of a pruned head, a matrix of a row for each of a few tokens after a last norm; only such programs are supported"
                            .formatted(origin));
        }
        if (!(last.x() instanceof Term.Last(Term state))) {
            throw new CheckpointException(
                    "%s: its logits are not those of the last token alone; only such programs are supported"
                            .formatted(origin));
        }
        Deque<Layer> layers = new ArrayDeque<>();
        Deque<Shape> shapes = new ArrayDeque<>();
        while (!(state instanceof Term.Embedded)) {
            state = layer(state, layers, shapes, origin);
        }
        if (shapes.stream().distinct().count() != 1) {
            throw new CheckpointException(
                    "%s: its %d layers have different heads or rotary tables; they must be the same"
                            .formatted(origin, layers.size()));
        }
        return new Decoder(
                ((Term.Embedded) state).embedding(),
                List.copyOf(layers),
                norm(last),
                head,
                tokens,
                vocabulary,
                shapes.getFirst());
    }

    /** Takes the layer that a state comes out of, and gives the state that goes into it. */
    @SuppressWarnings("ReferenceEquality") // what terms are told by
    private static Term layer(Term state, Deque<Layer> layers, Deque<Shape> shapes, String origin) {
        if (!(state
                        instanceof
                        Term.Sum(
                                Term.Sum(Term before, Term.Product(QuantisedMatrix output, Term.Attention attention)),
                                Term.Product(
                                        QuantisedMatrix down,
                                        Term.Gated(
                                                Term.Silu(Term.Product(QuantisedMatrix gate, Term.Normal mlpInput)),
                                                Term.Product(QuantisedMatrix up, Term.Normal upInput)))))
                || mlpInput != upInput
                || mlpInput.x() != ((Term.Sum) state).left()) {
            throw unlike(layers.size(), "an MLP of gate, up and down after attention, each added to its input", origin);
        }
        if (!(attention
                        instanceof
                        Term.Attention(
                                Term.Rotated(
                                        Term.Product(QuantisedMatrix query, Term.Normal input),
                                        long heads,
                                        long pairs,
                                        Term.Constant(int _, Method.Value.Array cosines),
                                        Term.Constant(int _, Method.Value.Array sines)),
                                Term.Rotated(
                                        Term.Product(QuantisedMatrix key, Term.Normal keyInput),
                                        long keyHeads,
                                        long _,
                                        Term.Constant(int _, Method.Value.Array keyCosines),
                                        Term.Constant(int _, Method.Value.Array keySines)),
                                Term.Product(QuantisedMatrix value, Term.Normal valueInput)))
                || input != keyInput
                || input != valueInput
                || input.x() != before
                || cosines.constant() != keyCosines.constant()
                || sines.constant() != keySines.constant()) {
            throw unlike(layers.size(), "attention to queries, keys and values of one norm of its input", origin);
        }
        layers.addFirst(new Layer(norm(input), query, key, value, output, norm(mlpInput), gate, up, down));
        shapes.addFirst(new Shape(heads, keyHeads, 2 * pairs, cosines, sines));
        return before;
    }

    private static Norm norm(Term.Normal normal) {
        return new Norm(normal.weights().tensor(), normal.epsilon().tensor());
    }

    private static CheckpointException unlike(int fromEnd, String wanted, String origin) {
        return new CheckpointException(
                "%s: its layer %d, counted from the last one (0), is not %s".formatted(origin, fromEnd, wanted));
    }
}
