/** Texts that are recognised by their form: expressions, words and numbers with check digits, each with its spans. */
@NullMarked
package dev.corral.policies.pattern;

import org.jspecify.annotations.NullMarked;
