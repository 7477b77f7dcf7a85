/** Chats between clients and upstreams of different dialects: requests there, answers back. */
@NullMarked
package dev.corral.gateway.translation;

import org.jspecify.annotations.NullMarked;
