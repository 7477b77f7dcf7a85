/** Guards made of random weights of a true geometry, and what making them costs. */
@NullMarked
package dev.corral.benchmarks.conversion;

import org.jspecify.annotations.NullMarked;
