/** Hugging Face checkpoints, read by memory map, and written. */
@NullMarked
package dev.corral.quantization.safetensors;

import org.jspecify.annotations.NullMarked;
