package dev.corral.gateway.testing;

import dev.corral.guardmodels.store.GuardStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The folder of a Llama Guard for whoever only asks what it sees: its model is none. */
public final class GuardFolder {

    private GuardFolder() {}

    /** Fills an empty folder. */
    public static Path write(Path folder) throws IOException {
        String rows = IntStream.rangeClosed(1, 13)
                .mapToObj(number -> "S" + number + ": " + (number + 1))
                .collect(Collectors.joining(", "));
        Files.writeString(folder.resolve("guard.yaml"), """
                format: 1
                id: no-model
                family: llama-guard-3
                precision: fp32
                licence: none
                quality: "none: there is no model"
                recommended-threshold: 0.5
                context: { tokens: 600, overlap: 32 }
                model: { layers: 1, kv-heads: 1, head-size: 16, head-rows: 15 }
                verdict: { lead: [271], continuation: [300, 198, 50], safe: 0, unsafe: 1, hazards: { %s } }
                made: { tool: test, recipe: fp32, source: { model.safetensors: abc } }
                """.formatted(rows));
        Files.writeString(folder.resolve("model.onnx"), "not a model");
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        GuardStore.seal(folder);
        return folder;
    }
}
