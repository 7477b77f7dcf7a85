package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.NamedHazards;
import dev.corral.policies.assessment.Meaning;
import dev.corral.policies.assessment.Probability;
import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.Taxonomy;
import java.util.List;

/**
 * What a guard says of itself; read from {@code guard.yaml} of its directory, or from the settings of a server's guard.
 *
 * @param id such as {@code llama-guard-3-1b}: letters, digits, dots and hyphens
 * @param fingerprint changes with weights, tokenizer, template, server or meaning; part of every cache key
 * @param family the prompt template, such as {@code llama-guard-3} or {@code corral-starter}
 * @param taxonomy what it tells apart
 * @param precision of its weights: {@code fp32}, {@code fp16}, {@code int8} or {@code int4}; {@code remote} where a
 *     server knows
 * @param contextTokens the longest prompt in tokens; longer texts are judged in overlapping chunks
 * @param recommendedThreshold for P(unsafe), used where a policy names none
 * @param licence of the weights, for people
 * @param quality one sentence of measured quality, for people
 * @param meaning what the probabilities of an unsafe content's hazards say. A harmless content's are always those of
 *     {@link Meaning#FIRST_HAZARD}, and what a server gives no probabilities for is {@link Meaning#VERDICT}: each
 *     assessment says what it has
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
        String quality,
        Meaning meaning) {

    public GuardProfile {
        if (!id.matches("[A-Za-z0-9.-]+")) {
            throw new IllegalArgumentException("a guard's id must be letters, digits, dots and hyphens: '" + id + "'");
        }
        if (contextTokens < 1) {
            throw new IllegalArgumentException("a guard's context must be at least 1 token: " + contextTokens);
        }
    }

    /** Of a guard that tells the first hazard. */
    public GuardProfile(
            String id,
            String fingerprint,
            String family,
            Taxonomy taxonomy,
            String precision,
            int contextTokens,
            Probability recommendedThreshold,
            String licence,
            String quality) {
        this(
                id,
                fingerprint,
                family,
                taxonomy,
                precision,
                contextTokens,
                recommendedThreshold,
                licence,
                quality,
                Meaning.FIRST_HAZARD);
    }

    /**
     * The same guard, asked for other hazards.
     *
     * @param list changes with them and with what the prompt says of them: letters, digits and hyphens
     */
    GuardProfile asking(List<Hazard> hazards, String list) {
        return new GuardProfile(
                id,
                fingerprint + "-asked-" + list,
                family,
                new Taxonomy(taxonomy.name(), hazards),
                precision,
                contextTokens,
                recommendedThreshold,
                licence,
                quality,
                meaning);
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
                manifest.quality(),
                directory.named() == NamedHazards.ALL ? Meaning.ALL_HAZARDS : Meaning.FIRST_HAZARD);
    }
}
