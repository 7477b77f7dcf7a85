/** Moderation of prompts and answers on their way through the gateway. */
@NullMarked
package dev.corral.gateway.moderation;

import org.jspecify.annotations.NullMarked;
