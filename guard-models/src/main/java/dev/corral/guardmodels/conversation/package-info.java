/** A conversation as a guard sees it, whatever dialect it came in. */
@NullMarked
package dev.corral.guardmodels.conversation;

import org.jspecify.annotations.NullMarked;
