/** Benches of guards: how long verdicts take, how many there are a second, what memory they need. */
@NullMarked
package dev.corral.benchmarks.capacity;

import org.jspecify.annotations.NullMarked;
