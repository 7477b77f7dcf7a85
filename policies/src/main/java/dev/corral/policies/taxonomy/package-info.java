/** Hazards: the vocabulary in which guards report and policies decide. */
@NullMarked
package dev.corral.policies.taxonomy;

import org.jspecify.annotations.NullMarked;
