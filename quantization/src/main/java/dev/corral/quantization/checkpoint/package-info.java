/** The weights of a model, whatever file they are in, by the names that Hugging Face gives them. */
@NullMarked
package dev.corral.quantization.checkpoint;

import org.jspecify.annotations.NullMarked;
