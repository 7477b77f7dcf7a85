package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Taxonomy;

/**
 * What a guard says of itself; read from {@code guard.yaml} of its directory.
 *
 * @param id such as {@code llama-guard-3-1b}: letters, digits, dots and hyphens
 * @param fingerprint hex digest that changes with weights, tokenizer or template; part of every cache key
 * @param family the prompt template, such as {@code llama-guard-3} or {@code corral-starter}
 * @param taxonomy what it tells apart
 * @param precision of its weights: {@code fp32}, {@code fp16}, {@code int8} or {@code int4}
 * @param contextTokens the longest prompt in tokens; longer texts are judged in overlapping chunks
 * @param recommendedThreshold for P(unsafe), used where a policy names none
 * @param licence of the weights, for people
 * @param quality one sentence of measured quality, for people
 */
public record GuardProfile(
        String id,
        String fingerprint,
        String family,
        Taxonomy taxonomy,
        String precision,
        int contextTokens,
        Probability recommendedThreshold,
        String licence,
        String quality) {

    public GuardProfile {
        if (!id.matches("[A-Za-z0-9.-]+")) {
            throw new IllegalArgumentException("a guard's id must be letters, digits, dots and hyphens: '" + id + "'");
        }
        if (contextTokens < 1) {
            throw new IllegalArgumentException("a guard's context must be at least 1 token: " + contextTokens);
        }
    }

    /** What a directory says of its guard. */
    static GuardProfile of(GuardDirectory directory) {
        GuardManifest manifest = directory.manifest();
        return new GuardProfile(
                manifest.id(),
                directory.fingerprint(),
                manifest.family().id(),
                manifest.taxonomy(),
                manifest.precision().label(),
                manifest.context().tokens(),
                manifest.recommendedThreshold(),
                manifest.licence(),
                manifest.quality());
    }
}
