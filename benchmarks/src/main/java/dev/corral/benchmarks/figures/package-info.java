/** What was measured: times, figures beside their limits, and how they are printed. */
@NullMarked
package dev.corral.benchmarks.figures;

import org.jspecify.annotations.NullMarked;
