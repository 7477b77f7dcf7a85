/** What a guard found: real probabilities, and how much of the content it saw. */
@NullMarked
package dev.corral.policies.assessment;

import org.jspecify.annotations.NullMarked;
