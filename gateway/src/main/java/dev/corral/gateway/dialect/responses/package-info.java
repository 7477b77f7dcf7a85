/** The dialect of OpenAI's responses. */
@NullMarked
package dev.corral.gateway.dialect.responses;

import org.jspecify.annotations.NullMarked;
