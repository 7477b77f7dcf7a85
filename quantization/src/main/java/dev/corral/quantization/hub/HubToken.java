package dev.corral.quantization.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Who asks a hub. Its value leaves this class only as a header; it is in no message and in no log. */
public final class HubToken {

    private static final Pattern VISIBLE = Pattern.compile("[\\x21-\\x7E]+");

    private final String value;
    private final String origin;

    private HubToken(String value, String origin) {
        this.value = value;
        this.origin = origin;
    }

    /**
     * The token as Hugging Face's own tools find it (huggingface/huggingface_hub:src/huggingface_hub/utils/_auth.py and
     * constants.py): {@code HF_TOKEN}, then the file that {@code hf auth login} writes.
     *
     * @param environment variables by name
     * @param home the user's home folder
     * @throws HubException if the token cannot be one, or its file cannot be read
     */
    public static Optional<HubToken> find(Map<String, String> environment, Path home) {
        for (String name : new String[] {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
            Optional<HubToken> token = of(environment.getOrDefault(name, ""), name);
            if (token.isPresent()) {
                return token;
            }
        }
        Path file = file(environment, home);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            return of(Files.readString(file), "the file " + file);
        } catch (IOException e) {
            throw new HubException(
                    "the token's file %s cannot be read (%s): set HF_TOKEN, or run 'hf auth login' again"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    private static Path file(Map<String, String> environment, Path home) {
        Optional<Path> named = set(environment, "HF_TOKEN_PATH");
        Stream<Optional<Path>> folders = Stream.of(
                set(environment, "HF_HOME"),
                set(environment, "XDG_CACHE_HOME").map(cache -> cache.resolve("huggingface")));
        return named.orElseGet(() -> folders.flatMap(Optional::stream)
                .findFirst()
                .orElse(home.resolve(".cache").resolve("huggingface"))
                .resolve("token"));
    }

    private static Optional<Path> set(Map<String, String> environment, String name) {
        String value = environment.getOrDefault(name, "");
        return value.isBlank() ? Optional.empty() : Optional.of(Path.of(value));
    }

    /**
     * A token, or empty where there is only white space.
     *
     * @param origin where it is from, for messages
     * @throws HubException if it has characters that no token has
     */
    static Optional<HubToken> of(String value, String origin) {
        String stripped = value.strip();
        if (stripped.isEmpty()) {
            return Optional.empty();
        }
        if (!VISIBLE.matcher(stripped).matches()) {
            throw new HubException(
                    "the token from %s must be one word of ASCII letters, digits and signs: copy it again"
                            .formatted(origin));
        }
        return Optional.of(new HubToken(stripped, origin));
    }

    /** Where the token is from, for messages. */
    public String origin() {
        return origin;
    }

    String authorization() {
        return "Bearer " + value;
    }

    @Override
    public String toString() {
        return "token from " + origin;
    }
}
