/** Dialects: what clients and upstreams say on the wire, read into conversations and written back. */
@NullMarked
package dev.corral.gateway.dialect;

import org.jspecify.annotations.NullMarked;
