package dev.corral.quantization;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** What is going to be written where, so that a full disk shows before the first byte. */
final class DiskSpace {

    private final Map<Path, Long> needed = new LinkedHashMap<>();

    /** Counts bytes that a folder is going to get; it may not exist yet. */
    DiskSpace add(Path folder, long bytes) {
        needed.merge(folder, bytes, Long::sum);
        return this;
    }

    /**
     * Compares with what is free.
     *
     * @throws IOException if a disk has less, saying how much and where
     */
    void require() throws IOException {
        Map<FileStore, Long> totals = new LinkedHashMap<>();
        for (Map.Entry<Path, Long> entry : needed.entrySet()) {
            Path folder = existing(entry.getKey());
            FileStore store = Files.getFileStore(folder);
            long total = totals.merge(store, entry.getValue(), Long::sum);
            long free = store.getUsableSpace();
            if (free < total) {
                throw new IOException(
                        "%s are needed on the disk of %s, and %s are free: make room, or name a folder on another disk"
                                .formatted(new ByteCount(total), folder, new ByteCount(free)));
            }
        }
    }

    private static Path existing(Path folder) throws IOException {
        for (Path path = folder.toAbsolutePath(); path != null; path = path.getParent()) {
            if (Files.exists(path)) {
                return path;
            }
        }
        throw new IOException("there is no disk for " + folder);
    }
}
