/** The dialect of OpenAI's chat completions and moderations. */
@NullMarked
package dev.corral.gateway.dialect.openai;

import org.jspecify.annotations.NullMarked;
