package dev.corral.policies.taxonomy;

/**
 * A category of harm that a customer added.
 *
 * @param code identifier, unique in its taxonomy; letters, digits and hyphens
 * @param displayName name for people, and for the guard's prompt
 */
public record CustomHazard(String code, String displayName) implements Hazard {

    public CustomHazard {
        if (!code.matches("[A-Za-z][A-Za-z0-9-]*")) {
            throw new IllegalArgumentException(
                    "a hazard's code must be letters, digits and hyphens, starting with a letter: '" + code + "'");
        }
        if (displayName.isBlank()) {
            throw new IllegalArgumentException("the name of hazard " + code + " must not be blank");
        }
    }
}
