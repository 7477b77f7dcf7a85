package dev.corral.policies.policy;

import dev.corral.policies.policy.Policy.NamedPattern;
import dev.corral.policies.taxonomy.Hazard;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The hazards that a policy can speak of.
 *
 * @param hazards all of them: the guard's, then the policy's own
 * @param asked what the guard should look for
 * @param patterns of the hazards that are found by patterns
 * @param replacements of their spans
 * @param excluded hazards that count as absent
 */
record Vocabulary(
        List<Hazard> hazards,
        List<Hazard> asked,
        Map<Hazard, List<NamedPattern>> patterns,
        Map<Hazard, String> replacements,
        Set<Hazard> excluded) {

    Vocabulary {
        hazards = List.copyOf(hazards);
        asked = List.copyOf(asked);
        patterns = Collections.unmodifiableMap(new LinkedHashMap<>(patterns));
        replacements = Map.copyOf(replacements);
        excluded = Set.copyOf(excluded);
    }

    Optional<Hazard> byCode(String code) {
        return hazards.stream().filter(hazard -> hazard.code().equals(code)).findFirst();
    }
}
