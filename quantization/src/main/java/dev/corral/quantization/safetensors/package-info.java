/** Hugging Face checkpoints, read by memory map. */
@NullMarked
package dev.corral.quantization.safetensors;

import org.jspecify.annotations.NullMarked;
