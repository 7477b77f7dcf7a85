/** What was measured, for a terminal, for a browser and for programs. */
@NullMarked
package dev.corral.guardmodels.report;

import org.jspecify.annotations.NullMarked;
