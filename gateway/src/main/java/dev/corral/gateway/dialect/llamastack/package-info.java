/**
 * Llama Stack: its inference API of before it spoke OpenAI's, and its shields, which Corral is. What is below {@code
 * /v1/openai/v1} is OpenAI's dialect.
 */
@NullMarked
package dev.corral.gateway.dialect.llamastack;

import org.jspecify.annotations.NullMarked;
