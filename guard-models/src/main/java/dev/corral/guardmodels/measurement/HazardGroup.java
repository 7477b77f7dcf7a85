package dev.corral.guardmodels.measurement;

import dev.corral.policies.taxonomy.Hazard;
import java.util.List;

/**
 * The unsafe rows that name a hazard, among all safe rows.
 *
 * @param named unsafe rows that name it, at least one
 * @param byUnsafe how P(unsafe) tells them apart, at the candidates' thresholds
 * @param byHazard how P(hazard) does; at the candidates' thresholds, too, which policies may set lower for a hazard
 * @param first by candidate: share of the rows for which the likeliest hazard is one that they name
 * @param curves by candidate: what thresholds for P(hazard) give
 */
public record HazardGroup(
        Hazard hazard, int named, Group byUnsafe, Group byHazard, List<Double> first, List<Curve> curves) {}
