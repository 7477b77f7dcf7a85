package dev.corral.guardmodels;

import dev.corral.guardmodels.store.GuardStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Guard directories for tests; their model is no model. */
public final class GuardDirectories {

    /** A manifest for the tiny tokenizer: lead, continuation as its words are. */
    public static final String TINY = """
            format: 1
            id: tiny-guard
            family: llama-guard-3
            precision: fp32
            licence: none
            quality: "none: it is random"
            recommended-threshold: 0.5
            context: { tokens: 600, overlap: 32 }
            model: { layers: 3, kv-heads: 2, head-size: 16, head-rows: 5 }
            verdict:
              lead: [271]
              continuation: [300, 198, 50]
              safe: 0
              unsafe: 1
              hazards: { S1: 2, S2: 3, S9: 4 }
            made: { tool: test, recipe: fp32, source: { model.safetensors: abc } }
            """;

    private GuardDirectories() {}

    public static Path write(Path directory, String manifest) throws IOException {
        Files.writeString(directory.resolve("guard.yaml"), manifest);
        Files.writeString(directory.resolve("model.onnx"), "not a model");
        Files.write(directory.resolve("tokenizer.json"), Fixtures.bytes("/fixtures/tiny-llama-guard/tokenizer.json"));
        GuardStore.seal(directory);
        return directory;
    }
}
