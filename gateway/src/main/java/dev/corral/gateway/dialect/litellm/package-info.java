/** What LiteLLM says to guardrails that it calls. */
@NullMarked
package dev.corral.gateway.dialect.litellm;

import org.jspecify.annotations.NullMarked;
