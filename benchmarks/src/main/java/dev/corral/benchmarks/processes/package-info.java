/** Java processes of their own, for figures that must not show what else a bench does: memory, conversion. */
@NullMarked
package dev.corral.benchmarks.processes;

import org.jspecify.annotations.NullMarked;
