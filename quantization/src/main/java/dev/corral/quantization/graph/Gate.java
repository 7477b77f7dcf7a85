package dev.corral.quantization.graph;

import dev.corral.quantization.checkpoint.Tensor;

/** Gates of a model with eyes: a learnt number whose hyperbolic tangent says how much of something is added. */
final class Gate {

    private Gate() {}

    /** How far a gate is open, -1 to 1. */
    static float open(Tensor gate) {
        return (float) Math.tanh(gate.requireShape(1).vector()[0]);
    }
}
