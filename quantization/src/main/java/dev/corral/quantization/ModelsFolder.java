package dev.corral.quantization;

import dev.corral.quantization.hub.RepositoryName;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where models lie: guards in {@code guards/ID}, what they were made of in {@code weights/OWNER/NAME}.
 *
 * @param root may not exist yet
 */
record ModelsFolder(Path root) {

    /** The folder of a guard. */
    Path guard(String id) {
        return root.resolve("guards").resolve(id);
    }

    /** The folder of a repository's files. */
    Path weights(RepositoryName name) {
        return root.resolve("weights").resolve(name.owner()).resolve(name.name());
    }

    /** The folders of all guards, by name. */
    List<Path> guards() throws IOException {
        return folders(root.resolve("guards"));
    }

    /** The folders of all weights, by owner and name. */
    List<Path> weights() throws IOException {
        Stream.Builder<Path> all = Stream.builder();
        for (Path owner : folders(root.resolve("weights"))) {
            folders(owner).forEach(all);
        }
        return all.build().toList();
    }

    /** The repository, as {@code OWNER/NAME}, that a folder of weights is for. */
    String repository(Path weights) {
        return root.resolve("weights").relativize(weights).toString().replace(File.separatorChar, '/');
    }

    /** The directory that people mean: a path, or the id of a guard that lies here. */
    Path find(String pathOrId) {
        Path path = Path.of(pathOrId);
        return !Files.exists(path) && pathOrId.matches("[A-Za-z0-9.-]+") && Files.isDirectory(guard(pathOrId))
                ? guard(pathOrId)
                : path;
    }

    /** Bytes of all files of a directory. */
    static long size(Path directory) throws IOException {
        long size = 0;
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                size += Files.size(file);
            }
        }
        return size;
    }

    private static List<Path> folders(Path parent) throws IOException {
        if (!Files.isDirectory(parent)) {
            return List.of();
        }
        try (Stream<Path> children = Files.list(parent)) {
            return children.filter(Files::isDirectory)
                    .filter(child -> !child.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        }
    }
}
