package dev.corral.gateway.dialect.openai;

import dev.corral.policies.taxonomy.Hazard;
import dev.corral.policies.taxonomy.StandardHazard;
import java.util.List;
import java.util.Set;

/**
 * A category of OpenAI's {@code omni-moderation-latest}, and the hazards that are its nearest.
 *
 * @param word as OpenAI writes it
 * @param hazards what counts as it; empty where no hazard tells it apart from another category
 */
record OpenAiCategory(String word, Set<Hazard> hazards) {

    /**
     * All, in OpenAI's order. Those without a hazard are always false: a threat of hate is hate here, and any self-harm is
     * self-harm. Hazards that OpenAI has no category for, such as defamation, flag a text and are in none.
     */
    static final List<OpenAiCategory> ALL = List.of(
            of("harassment"),
            of("harassment/threatening"),
            of("sexual", StandardHazard.S3, StandardHazard.S12),
            of("hate", StandardHazard.S10),
            of("hate/threatening"),
            of("illicit", StandardHazard.S2, StandardHazard.S9, StandardHazard.S14),
            of("illicit/violent", StandardHazard.S9),
            of("self-harm/intent"),
            of("self-harm/instructions"),
            of("self-harm", StandardHazard.S11),
            of("sexual/minors", StandardHazard.S4),
            of("violence", StandardHazard.S1),
            of("violence/graphic"));

    OpenAiCategory {
        hazards = Set.copyOf(hazards);
    }

    private static OpenAiCategory of(String word, StandardHazard... hazards) {
        return new OpenAiCategory(word, Set.of(hazards));
    }
}
