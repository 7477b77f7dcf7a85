package dev.corral.quantization;

import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a command looks for models. */
final class ModelsOption {

    private final Environment environment;

    @Option(
            names = "--models",
            paramLabel = "DIR",
            description = "Folder of all models. Default: CORRAL_MODELS, or ~/.local/share/corral/models.")
    private @Nullable Path directory;

    ModelsOption(Environment environment) {
        this.environment = environment;
    }

    ModelsFolder folder() {
        return new ModelsFolder(directory == null ? environment.models() : directory);
    }

    /**
     * The directory that is meant by a path, or by the id of a guard in the folder.
     *
     * @throws NotDirectoryException if it is none
     */
    Path directory(String model) throws NotDirectoryException {
        Path directory = folder().find(model);
        if (!Files.isDirectory(directory)) {
            throw new NotDirectoryException(directory.toString());
        }
        return directory;
    }
}
