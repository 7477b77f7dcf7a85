package dev.corral.policies.policy;

import java.util.Set;

/** A policy was asked for by a name that none has. */
public final class NoSuchPolicyException extends RuntimeException {

    private final String name;

    NoSuchPolicyException(String name, Set<String> known) {
        super("there is no policy '" + name + "'; the policies in force are " + String.join(", ", known)
                + Spelling.nearest(name, known)
                        .map(meant -> "; did you mean '" + meant + "'?")
                        .orElse(""));
        this.name = name;
    }

    /** The name that was asked for. */
    public String name() {
        return name;
    }
}
