package dev.corral.guardmodels.store;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Where a guard's files lie. */
sealed interface GuardFolder {

    /** A file's name for messages. */
    String path(String name);

    /** A file's content, or empty where there is no such file. */
    Optional<InputStream> open(String name) throws IOException;

    /** A file's bytes; of a file that is there. */
    long size(String name) throws IOException;

    /** What to do when a file is not as it should be; the end of a message. */
    String advice();

    /** A directory. */
    record OnDisk(Path directory) implements GuardFolder {

        @Override
        public String path(String name) {
            return directory.resolve(name).toString();
        }

        @Override
        public Optional<InputStream> open(String name) throws IOException {
            Path file = directory.resolve(name);
            return Files.isRegularFile(file) ? Optional.of(Files.newInputStream(file)) : Optional.empty();
        }

        @Override
        public String advice() {
            return "; copy the whole guard directory again, or make it again with 'corral quantize'";
        }

        @Override
        public long size(String name) throws IOException {
            return Files.size(directory.resolve(name));
        }
    }

    /**
     * A folder of the class path.
     *
     * @param folder absolute
     */
    record BuiltIn(String folder) implements GuardFolder {

        @Override
        public String path(String name) {
            return "built-in " + folder + "/" + name;
        }

        @Override
        public Optional<InputStream> open(String name) {
            return Optional.ofNullable(GuardFolder.class.getResourceAsStream(folder + "/" + name));
        }

        @Override
        public String advice() {
            return "; this Corral is not whole: install it again, or name a guard directory";
        }

        @Override
        public long size(String name) throws IOException {
            URL file = GuardFolder.class.getResource(folder + "/" + name);
            return file == null ? 0 : file.openConnection().getContentLengthLong();
        }
    }
}
