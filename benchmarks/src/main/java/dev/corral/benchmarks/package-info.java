/** Measures what Corral promises: each figure by a command, with its unit and its limit. */
@NullMarked
package dev.corral.benchmarks;

import org.jspecify.annotations.NullMarked;
