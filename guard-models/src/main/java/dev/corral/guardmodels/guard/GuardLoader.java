package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.store.GuardDirectory;

/** Makes a guard of a directory's files. */
@FunctionalInterface
public interface GuardLoader {

    /**
     * Loads the model; this takes seconds.
     *
     * @throws dev.corral.guardmodels.store.UnusableGuardException if the files do not make a guard
     */
    Guard load(GuardDirectory directory);
}
