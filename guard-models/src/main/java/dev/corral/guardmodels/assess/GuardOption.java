package dev.corral.guardmodels.assess;

import dev.corral.guardmodels.guard.Guard;
import dev.corral.guardmodels.guard.GuardLoader;
import dev.corral.guardmodels.store.GuardStore;
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

    Guard load(GuardLoader loader) {
        return loader.load(directory == null ? GuardStore.starter() : GuardStore.open(directory));
    }
}
