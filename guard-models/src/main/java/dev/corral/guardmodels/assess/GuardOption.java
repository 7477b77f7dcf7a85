package dev.corral.guardmodels.assess;

import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.GuardLoader;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardStore;
import dev.corral.guardmodels.store.NamedHazards;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which guard a command asks. */
final class GuardOption {

    @Option(
            names = "--guard",
            paramLabel = "DIR",
            description = "guard directory, as 'corral quantize' writes it; the built-in starter guard if not given")
    private @Nullable Path directory;

    @Option(
            names = "--hazards",
            paramLabel = "WHICH",
            description = "first: the hazard that the guard names first, with the probability of each to be it;"
                    + " all: every hazard that it lists. Default: first")
    private NamedHazards hazards = NamedHazards.FIRST;

    Guard load(GuardLoader loader) {
        GuardDirectory guard = directory == null ? GuardStore.starter() : GuardStore.open(directory);
        return loader.load(guard.naming(hazards));
    }
}
