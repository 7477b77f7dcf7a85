/** The guard: judges one turn of a conversation. */
@NullMarked
package dev.corral.guardmodels.guard;

import org.jspecify.annotations.NullMarked;
