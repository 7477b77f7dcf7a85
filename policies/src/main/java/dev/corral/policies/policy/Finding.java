package dev.corral.policies.policy;

import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;

/**
 * A hazard that is present: alone, or together with other findings whose probabilities add up to the default threshold.
 *
 * @param probability that the content is unsafe by this hazard
 * @param threshold the one that was reached
 */
public record Finding(Hazard hazard, Probability probability, Probability threshold) {}
