package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Taxonomy;

/**
 * What policies may expect of a guard.
 *
 * @param taxonomy what it tells apart
 * @param recommendedThreshold used where a policy names no default threshold
 * @param takesCategories whether it can be asked for a policy's own hazards, given as text
 */
public record GuardSight(Taxonomy taxonomy, Probability recommendedThreshold, boolean takesCategories) {}
