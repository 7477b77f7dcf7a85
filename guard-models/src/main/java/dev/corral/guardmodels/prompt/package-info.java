/** What a guard is asked, word for word: templates rendered to segments, so that text never becomes a special token. */
@NullMarked
package dev.corral.guardmodels.prompt;

import org.jspecify.annotations.NullMarked;
