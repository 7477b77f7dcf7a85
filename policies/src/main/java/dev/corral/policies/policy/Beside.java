package dev.corral.policies.policy;

import java.util.Optional;

/** The files that a policy may name: those in its own folder. */
@FunctionalInterface
public interface Beside {

    /** No files. */
    Beside NOTHING = _ -> Optional.empty();

    /**
     * The text of a file.
     *
     * @param name without a folder
     * @return empty where there is no such file, or it cannot be read as UTF-8
     */
    Optional<String> text(String name);
}
