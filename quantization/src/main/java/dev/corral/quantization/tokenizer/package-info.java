/** Tokenizers as the engine reads them, made of what models come with. */
@NullMarked
package dev.corral.quantization.tokenizer;

import org.jspecify.annotations.NullMarked;
