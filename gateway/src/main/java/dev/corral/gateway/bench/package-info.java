/** Measures what Corral promises: each figure by a command, with its unit and its limit. */
@NullMarked
package dev.corral.gateway.bench;

import org.jspecify.annotations.NullMarked;
