package dev.corral.guardmodels.onnx;

/**
 * What must be known of a decoder to give it memory.
 *
 * @param layers decoder layers
 * @param kvHeads key and value heads of a layer
 * @param headSize width of a head
 * @param headRows outputs of the verdict head
 * @param contextTokens longest input in tokens
 */
public record ModelShape(int layers, int kvHeads, int headSize, int headRows, int contextTokens) {}
