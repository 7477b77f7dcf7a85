package dev.corral.quantization.executorch;

/**
 * What a value of a program is, in the words of a Llama decoder: a tree down to the tokens. Two terms are the same only
 * if they are the same object; comparing them by their parts would visit a residual stream once for each of its uses.
 */
sealed interface Term {

    /** Ids of the tokens. */
    record Tokens() implements Term {}

    /** The place of the first token. */
    record Start() implements Term {}

    /** How many tokens there are. */
    record Count() implements Term {}

    /** The place after the last token. */
    record End() implements Term {}

    /** A tensor of the file. */
    record Constant(int value, Method.Value.Array tensor) implements Term {}

    /** Minus infinity for each token of the vocabulary. */
    record Nothing(long vocabulary) implements Term {}

    record Embedded(QuantisedMatrix embedding) implements Term {}

    /** x · weightsᵀ, with activations of 8 bits. */
    record Product(QuantisedMatrix weights, Term x) implements Term {}

    record Square(Term x) implements Term {}

    /** Over a token's values. */
    record MeanSquare(Term x) implements Term {}

    /** A mean square and what keeps it from zero. */
    record Shifted(Term x, Constant epsilon) implements Term {}

    /** 1 / root of a {@link Shifted}. */
    record Inverse(Term x, Constant epsilon) implements Term {}

    /** x by the {@link Inverse} of its own mean square. */
    record Scaled(Term x, Constant epsilon) implements Term {}

    /** RMS norm of x. */
    record Normal(Term x, Constant weights, Constant epsilon) implements Term {}

    /** A table's rows for the tokens' places. */
    record Angles(Constant table) implements Term {}

    /** Every other value of each head: the even ones, or the odd ones. */
    record Half(Term x, boolean odd, long heads, long pairs) implements Term {}

    /** A {@link Half} by a table's rows. */
    record Turn(Half half, Constant table) implements Term {}

    /** One half of a rotated x. */
    record Turned(Term x, boolean odd, long heads, long pairs, Constant cosines, Constant sines) implements Term {}

    /** x with each even value and the odd one after it turned by the token's place. */
    record Rotated(Term x, long heads, long pairs, Constant cosines, Constant sines) implements Term {}

    record Attention(Term query, Term key, Term value) implements Term {}

    record Sum(Term left, Term right) implements Term {}

    record Sigmoid(Term x) implements Term {}

    /** x · sigmoid(x). */
    record Silu(Term x) implements Term {}

    record Gated(Silu gate, Term x) implements Term {}

    /** The last token's values. */
    record Last(Term x) implements Term {}

    /** Logits at the places of some tokens of the vocabulary. */
    record Scattered(Nothing others, Constant tokens, Term logits) implements Term {}
}
