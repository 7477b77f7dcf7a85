package dev.corral.guardmodels.measurement;

/**
 * A figure, and how far it may be off by the chance of which rows were measured.
 *
 * @param value as measured
 * @param low end of the 95 % confidence interval
 * @param high end of the 95 % confidence interval
 */
public record Estimate(double value, double low, double high) {}
