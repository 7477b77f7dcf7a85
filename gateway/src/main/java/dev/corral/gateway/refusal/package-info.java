/** How a block is told: in the dialect's own words, or in those of the gateway that Corral stands in for. */
@NullMarked
package dev.corral.gateway.refusal;

import org.jspecify.annotations.NullMarked;
