/** The gateway application. */
@NullMarked
package dev.corral.gateway;

import org.jspecify.annotations.NullMarked;
