/** Labelled conversations, read from files of JSON lines. */
@NullMarked
package dev.corral.guardmodels.dataset;

import org.jspecify.annotations.NullMarked;
