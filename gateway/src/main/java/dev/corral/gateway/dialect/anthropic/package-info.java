/** Anthropic's Messages API, which gateways and servers in front of Llama models speak, too. */
@NullMarked
package dev.corral.gateway.dialect.anthropic;

import org.jspecify.annotations.NullMarked;
