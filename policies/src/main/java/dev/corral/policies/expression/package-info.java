/** Conditions in CEL, the Common Expression Language, over what is known of a finding. */
@NullMarked
package dev.corral.policies.expression;

import org.jspecify.annotations.NullMarked;
