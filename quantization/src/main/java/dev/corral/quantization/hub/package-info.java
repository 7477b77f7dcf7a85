/** A client of the Hugging Face hub and of what speaks like it: lists a repository, brings its files, verifies them. */
@NullMarked
package dev.corral.quantization.hub;

import org.jspecify.annotations.NullMarked;
