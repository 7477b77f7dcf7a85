package dev.corral.gateway.upstream;

import dev.corral.guardmodels.remote.ApiKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The key of one upstream. It shows its value to {@link Upstream} alone, and prints where it comes from. */
final class Credential {

    private static final Logger log = LoggerFactory.getLogger(Credential.class);

    private final String origin;
    private final @Nullable Path file;
    private volatile ApiKey key;

    private Credential(ApiKey key, String origin, @Nullable Path file) {
        this.key = key;
        this.origin = origin;
        this.file = file;
    }

    /**
     * A key that stays.
     *
     * @param origin where it was set, for messages
     * @throws IllegalArgumentException where it cannot stand in a header
     */
    static Credential of(ApiKey key, String origin) {
        return new Credential(usable(key, origin), origin, null);
    }

    /**
     * A key in a file, which may change.
     *
     * @throws IllegalArgumentException where it cannot be read, or cannot stand in a header
     */
    static Credential in(Path file, String setting) {
        String origin = setting + " (" + file + ")";
        try {
            return new Credential(usable(read(file), origin), origin, file);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    setting + " must be a file that can be read: " + file + " ("
                            + e.getClass().getSimpleName() + ")",
                    e);
        }
    }

    /** The key as a header says it. */
    String header(String scheme) {
        return key.header(scheme);
    }

    /** Whether it may change. */
    boolean isInFile() {
        return file != null;
    }

    /** Reads the file again; a key that cannot be used leaves the one before in place. */
    void look() {
        if (file == null) {
            return;
        }
        try {
            key = usable(read(file), origin);
        } catch (IOException | IllegalArgumentException e) {
            log.warn(
                    "the key before is used on: {} cannot be read ({})",
                    origin,
                    e.getClass().getSimpleName());
        }
    }

    private static ApiKey read(Path file) throws IOException {
        return ApiKey.of(Files.readString(file));
    }

    private static ApiKey usable(ApiKey key, String origin) {
        if (!key.isUsable()) {
            throw new IllegalArgumentException(
                    origin + " must be one line of visible ASCII characters, and is empty or something else");
        }
        return key;
    }

    @Override
    public String toString() {
        return "key from " + origin;
    }
}
