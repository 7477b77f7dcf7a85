package dev.corral.guardmodels.measurement;

import dev.corral.guardmodels.guard.GuardProfile;
import dev.corral.policies.assessment.Probability;

/**
 * A guard that is measured.
 *
 * @param name in reports: the guard's id, or {@code A} and {@code B} before it where two are compared
 * @param threshold for P(unsafe): at or above it, its verdict is unsafe
 */
public record Candidate(String name, GuardProfile profile, Probability threshold) {}
