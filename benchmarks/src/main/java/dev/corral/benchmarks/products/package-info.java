/** The matrix products of a guard without the rest of it: the least time that a verdict can take on this machine. */
@NullMarked
package dev.corral.benchmarks.products;

import org.jspecify.annotations.NullMarked;
