/** Guard directories: what lies in them, and whether it is whole. */
@NullMarked
package dev.corral.guardmodels.store;

import org.jspecify.annotations.NullMarked;
