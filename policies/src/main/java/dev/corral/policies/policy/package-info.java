/** Policies: YAML to a checked, compiled form that turns assessments into a decision. */
@NullMarked
package dev.corral.policies.policy;

import org.jspecify.annotations.NullMarked;
