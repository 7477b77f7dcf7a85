/** How well guards tell unsafe from safe, in numbers with their uncertainty. */
@NullMarked
package dev.corral.guardmodels.measurement;

import org.jspecify.annotations.NullMarked;
