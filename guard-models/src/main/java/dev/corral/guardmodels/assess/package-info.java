/** The command that asks a guard to judge a text or a file. */
@NullMarked
package dev.corral.guardmodels.assess;

import org.jspecify.annotations.NullMarked;
