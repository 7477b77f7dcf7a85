package dev.corral.quantization.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * What has come of a file so far. It lies beside where the file will be, under a name that tells which content it is a
 * part of, so parts of two contents are never joined; the validator of the server that sent it lies with it.
 */
final class PartialFile {

    private static final int HASH_DIGITS = 12;

    private final Path target;
    private final Path part;
    private final Path validator;

    PartialFile(Path directory, RemoteFile file) {
        String prefix = "." + file.name() + ".";
        String name = prefix + file.hash().hex().substring(0, HASH_DIGITS) + ".part";
        this.target = directory.resolve(file.name());
        this.part = directory.resolve(name);
        this.validator = directory.resolve(name + ".etag");
    }

    /** Deletes parts of other contents of the same file: nobody will ask for them again. */
    void deleteOthers() throws IOException {
        String glob = "." + target.getFileName() + ".*.part*";
        try (DirectoryStream<Path> parts = Files.newDirectoryStream(target.getParent(), glob)) {
            for (Path other : parts) {
                if (!other.equals(part) && !other.equals(validator)) {
                    Files.delete(other);
                }
            }
        }
    }

    Path path() {
        return part;
    }

    long size() throws IOException {
        return Files.exists(part) ? Files.size(part) : 0;
    }

    /** The strong entity tag of the content that this is a part of, where its server gave one. */
    Optional<String> validator() throws IOException {
        return Files.exists(validator) ? Optional.of(Files.readString(validator)) : Optional.empty();
    }

    /** Opens the part for more, from {@code start} on: what was behind that is gone. */
    FileChannel open(long start, Optional<String> tag) throws IOException {
        if (tag.isPresent()) {
            Files.writeString(validator, tag.get());
        } else {
            Files.deleteIfExists(validator);
        }
        FileChannel channel = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            return channel.truncate(start).position(start);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    void delete() throws IOException {
        Files.deleteIfExists(part);
        Files.deleteIfExists(validator);
    }

    /** The part is the whole. */
    void complete() throws IOException {
        Files.move(part, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        Files.deleteIfExists(validator);
    }
}
