package dev.corral.guardmodels.measurement;

/**
 * A judged row: what a guard said and what is true.
 *
 * @param probability that it is unsafe
 * @param unsafe what its label says
 */
public record Rating(double probability, boolean unsafe) {}
