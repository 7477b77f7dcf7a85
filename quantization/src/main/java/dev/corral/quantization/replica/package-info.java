/** Stand-ins of guard models: their true geometry with random weights, for benches and memory tests. */
@NullMarked
package dev.corral.quantization.replica;

import org.jspecify.annotations.NullMarked;
