package dev.corral.quantization.recipe;

import java.util.Locale;

/** The matrices of a decoder layer that recipes tell apart: those that read the same activations are one. */
public enum Projection {
    /** Queries, keys and values, from the layer's input. */
    QKV,
    /** What attention gives back to the residual stream. */
    OUTPUT,
    /** Gate and up of the MLP. */
    UP,
    /** What the MLP gives back to the residual stream. */
    DOWN;

    /** The name in recipes, such as {@code qkv}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
