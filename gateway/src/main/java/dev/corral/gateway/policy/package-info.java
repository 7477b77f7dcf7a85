/** The command {@code policy}: checks, tests, explains and compares policies before they are in force. */
@NullMarked
package dev.corral.gateway.policy;

import org.jspecify.annotations.NullMarked;
