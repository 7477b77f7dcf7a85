package dev.corral.guardmodels;

import dev.corral.guardmodels.tokenizer.GuardTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Golden files of the class path. */
public final class Fixtures {

    private static final JsonMapper JSON = new JsonMapper();

    private Fixtures() {}

    public static byte[] bytes(String name) {
        try (InputStream in = Objects.requireNonNull(Fixtures.class.getResourceAsStream(name), name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static JsonNode json(String name) {
        return JSON.readTree(bytes(name));
    }

    public static int[] ints(JsonNode array) {
        return IntStream.range(0, array.size())
                .map(i -> array.get(i).intValue())
                .toArray();
    }

    /** Shaped like the tokenizer of Llama 3, with a few hundred tokens. */
    public static GuardTokenizer tinyTokenizer() {
        return GuardTokenizer.load(bytes("/fixtures/tiny-llama-guard/tokenizer.json"), "tiny tokenizer");
    }

    /** The same, with a token for an image. */
    public static GuardTokenizer tinyVisionTokenizer() {
        return GuardTokenizer.load(bytes("/fixtures/tiny-mllama-guard/tokenizer.json"), "tiny vision tokenizer");
    }

    public static GuardTokenizer starterTokenizer() {
        return GuardTokenizer.load(bytes("/dev/corral/guardmodels/starter/tokenizer.json"), "starter tokenizer");
    }
}
