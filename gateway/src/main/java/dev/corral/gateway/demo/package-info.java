/** The gateway in front of a scripted backend, to see everything with no model of one's own. */
@NullMarked
package dev.corral.gateway.demo;

import org.jspecify.annotations.NullMarked;
