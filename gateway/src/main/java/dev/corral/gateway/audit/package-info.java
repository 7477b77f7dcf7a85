/** What is kept of every exchange, so that it can be proven later what was decided, and on what grounds. */
@NullMarked
package dev.corral.gateway.audit;

import org.jspecify.annotations.NullMarked;
