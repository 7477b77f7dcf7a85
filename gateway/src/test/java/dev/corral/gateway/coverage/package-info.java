/** Which fields of every API are judged, and why the others are not. */
@NullMarked
package dev.corral.gateway.coverage;

import org.jspecify.annotations.NullMarked;
