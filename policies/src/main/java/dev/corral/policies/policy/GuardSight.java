package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Taxonomy;

/**
 * What policies may expect of a guard.
 *
 * @param taxonomy what it tells apart
 * @param recommendedThreshold used where a policy names no default threshold
 * @param places the most hazards that it can be asked for at once, a policy's own among them, which are given as text; 0
 *     where it looks for its own only
 */
public record GuardSight(Taxonomy taxonomy, Probability recommendedThreshold, int places) {}
