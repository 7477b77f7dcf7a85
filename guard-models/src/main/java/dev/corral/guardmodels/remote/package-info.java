/** Guards that another server runs: the same questions, asked over HTTP. */
@NullMarked
package dev.corral.guardmodels.remote;

import org.jspecify.annotations.NullMarked;
