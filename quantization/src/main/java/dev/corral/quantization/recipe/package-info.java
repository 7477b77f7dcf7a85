/** How weights are stored: precision and block sizes. */
@NullMarked
package dev.corral.quantization.recipe;

import org.jspecify.annotations.NullMarked;
