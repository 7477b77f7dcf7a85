/** What of a model matters least, found by watching it at work. */
@NullMarked
package dev.corral.quantization.pruning;

import org.jspecify.annotations.NullMarked;
