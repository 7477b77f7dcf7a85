package dev.corral.policies.taxonomy;

import java.util.Optional;

/**
 * A category of harm that a customer added.
 *
 * @param code identifier, unique in its taxonomy; letters, digits and hyphens
 * @param displayName name for people, and for the guard's prompt
 * @param description what counts as this hazard, for the guard's prompt; empty where a guard is not asked for it, or where
 *     the name says it
 */
public record CustomHazard(String code, String displayName, Optional<String> description) implements Hazard {

    public CustomHazard {
        if (!code.matches("[A-Za-z][A-Za-z0-9-]*")) {
            throw new IllegalArgumentException(
                    "a hazard's code must be letters, digits and hyphens, starting with a letter: '" + code + "'");
        }
        if (displayName.isBlank()) {
            throw new IllegalArgumentException("the name of hazard " + code + " must not be blank");
        }
    }

    /** A hazard whose name says it all. */
    public CustomHazard(String code, String displayName) {
        this(code, displayName, Optional.empty());
    }
}
