/** The gateway put together and started. */
@org.jspecify.annotations.NullMarked
package dev.corral.gateway.server;
