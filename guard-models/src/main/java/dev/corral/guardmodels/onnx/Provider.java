package dev.corral.guardmodels.onnx;

/** What computes. */
public enum Provider {
    /** This machine's processor. */
    CPU,

    /** An NVIDIA GPU; needs ONNX Runtime's build for CUDA in place of the usual one. */
    CUDA
}
