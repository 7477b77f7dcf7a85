/** Builds ONNX graphs of Llama-architecture decoders and writes them as protobuf. */
@NullMarked
package dev.corral.quantization.graph;

import org.jspecify.annotations.NullMarked;
