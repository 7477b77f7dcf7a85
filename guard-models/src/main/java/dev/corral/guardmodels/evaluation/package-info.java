/** The commands that measure guards: {@code evaluate} one, {@code model compare} two. */
@NullMarked
package dev.corral.guardmodels.evaluation;

import org.jspecify.annotations.NullMarked;
