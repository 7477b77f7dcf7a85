package dev.corral.guardmodels.evaluation;

import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardStore;
import java.nio.file.Path;

/** Where a guard is, as people name it. */
final class GuardPlace {

    /** The guard that comes with Corral; a directory of that name is {@code ./built-in}. */
    static final String BUILT_IN = "built-in";

    private GuardPlace() {}

    static GuardDirectory open(String place) {
        return place.equals(BUILT_IN) ? GuardStore.starter() : GuardStore.open(Path.of(place));
    }
}
