/** Commands that ask a guard: to judge a text or a file, and to measure how good it is. */
@NullMarked
package dev.corral.guardmodels.assess;

import org.jspecify.annotations.NullMarked;
