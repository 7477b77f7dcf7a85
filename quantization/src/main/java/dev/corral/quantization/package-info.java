/** Converts weights of other formats to guards. */
@NullMarked
package dev.corral.quantization;

import org.jspecify.annotations.NullMarked;
