/** Text to token ids. */
@NullMarked
package dev.corral.guardmodels.tokenizer;

import org.jspecify.annotations.NullMarked;
