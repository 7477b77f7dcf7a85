package dev.corral.policies.taxonomy;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The hazards that one guard can tell apart, in the order of its prompt.
 *
 * @param name such as {@code llama-guard-3}
 * @param hazards distinct codes, at least one
 */
public record Taxonomy(String name, List<Hazard> hazards) {

    /** S1 to S13: Llama Guard 3 1B and 11B Vision, and the starter guard. */
    public static final Taxonomy LLAMA_GUARD_3 = new Taxonomy(
            "llama-guard-3", List.copyOf(Arrays.asList(StandardHazard.values()).subList(0, 13)));

    /** S1 to S14: Llama Guard 3 8B. */
    public static final Taxonomy LLAMA_GUARD_3_8B = new Taxonomy("llama-guard-3-8b", List.of(StandardHazard.values()));

    public Taxonomy {
        hazards = List.copyOf(hazards);
        if (hazards.isEmpty()) {
            throw new IllegalArgumentException("taxonomy " + name + " has no hazards");
        }
        Set<String> codes = new HashSet<>();
        for (Hazard hazard : hazards) {
            if (!codes.add(hazard.code())) {
                throw new IllegalArgumentException("taxonomy " + name + " names hazard " + hazard.code() + " twice");
            }
        }
    }

    /** The hazard with this exact code, or empty. */
    public Optional<Hazard> byCode(String code) {
        return hazards.stream().filter(hazard -> hazard.code().equals(code)).findFirst();
    }
}
