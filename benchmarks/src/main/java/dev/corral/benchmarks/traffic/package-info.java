/** Benches of the gateway as a client sees it: its own time, its start, what it loses over many requests. */
@NullMarked
package dev.corral.benchmarks.traffic;

import org.jspecify.annotations.NullMarked;
