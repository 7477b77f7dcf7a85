package dev.corral.quantization.gguf;

import dev.corral.guardmodels.store.GuardStore;
import dev.corral.quantization.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The models that Ollama keeps on this machine: {@code manifests/HOST/NAMESPACE/NAME/TAG}, JSON that names blobs by their
 * SHA-256, and {@code blobs/sha256-HEX} ({@code ollama/ollama:types/model/name.go, manifest/manifest.go}).
 *
 * @param models the folder, such as {@code ~/.ollama/models}
 */
public record OllamaStore(Path models) {

    private static final String MODEL_LAYER = "application/vnd.ollama.image.model";
    private static final long MOST_MANIFEST_BYTES = 1 << 20;
    private static final Pattern NAME = Pattern.compile(
            "(?:(?:([A-Za-z0-9][A-Za-z0-9._-]*(?::[0-9]+)?)/)?([A-Za-z0-9_][A-Za-z0-9_-]*)/)?([A-Za-z0-9_][A-Za-z0-9._-]*)(?::([A-Za-z0-9_][A-Za-z0-9._-]*))?");
    private static final Pattern DIGEST = Pattern.compile("sha256[:-]([0-9a-f]{64})");

    /** A model's manifest, and the GGUF file that it names. */
    public record Entry(Path manifest, Path model) {}

    /**
     * Finds a model and compares its file with the manifest.
     *
     * @param name {@code [[HOST/]NAMESPACE/]NAME[:TAG]}, such as {@code llama-guard3:1b}
     * @throws CheckpointException if it is not there, or not what the manifest says
     */
    public Entry find(String name) throws IOException {
        Path manifest = manifest(name);
        JsonNode layer = modelLayer(manifest);
        Matcher digest = DIGEST.matcher(layer.path("digest").asString(""));
        if (!digest.matches()) {
            throw new CheckpointException("%s names its model by '%s', which is no SHA-256: run 'ollama pull %s' again"
                    .formatted(manifest, layer.path("digest").asString(""), name));
        }
        Path blob = models.resolve("blobs").resolve("sha256-" + digest.group(1));
        if (!Files.isRegularFile(blob)) {
            throw new CheckpointException("%s names the blob %s, which is not there: run 'ollama pull %s' again"
                    .formatted(manifest, blob, name));
        }
        long size = layer.path("size").asLong(-1);
        if (size != Files.size(blob)) {
            throw new CheckpointException("%s has %d bytes, but %s says %d: run 'ollama pull %s' again"
                    .formatted(blob, Files.size(blob), manifest, size, name));
        }
        String found = GuardStore.digest(blob);
        if (!found.equals(digest.group(1))) {
            throw new CheckpointException(
                    "%s has the SHA-256 %s, not that of its name and of %s: run 'ollama pull %s' again"
                            .formatted(blob, found, manifest, name));
        }
        return new Entry(manifest, blob);
    }

    private Path manifest(String name) throws IOException {
        Matcher parts = NAME.matcher(name);
        if (!parts.matches()) {
            throw new CheckpointException(
                    "an Ollama model is named [NAMESPACE/]NAME[:TAG], such as llama-guard3:1b: '%s'".formatted(name));
        }
        Path namespace = models.resolve("manifests")
                .resolve(or(parts.group(1), "registry.ollama.ai"))
                .resolve(or(parts.group(2), "library"));
        Path manifest = namespace.resolve(parts.group(3)).resolve(or(parts.group(4), "latest"));
        if (Files.isRegularFile(manifest)) {
            return manifest;
        }
        List<String> others = new ArrayList<>();
        if (Files.isDirectory(namespace.resolve(parts.group(3)))) {
            try (var tags = Files.list(namespace.resolve(parts.group(3)))) {
                tags.map(tag -> parts.group(3) + ":" + tag.getFileName())
                        .sorted()
                        .forEach(others::add);
            }
        }
        throw new CheckpointException(
                "Ollama's store %s has no model '%s'%s: run 'ollama pull %s', or set OLLAMA_MODELS to the folder that ollama uses (of a service often /usr/share/ollama/.ollama/models)"
                        .formatted(models, name, others.isEmpty() ? "" : ", but " + String.join(", ", others), name));
    }

    private static JsonNode modelLayer(Path manifest) throws IOException {
        if (Files.size(manifest) > MOST_MANIFEST_BYTES) {
            throw new CheckpointException("%s has %d bytes, too many for a manifest: run 'ollama pull' again"
                    .formatted(manifest, Files.size(manifest)));
        }
        JsonNode root;
        try {
            root = JsonMapper.shared().readTree(Files.readAllBytes(manifest));
        } catch (JacksonException e) {
            throw new CheckpointException(
                    "%s is not JSON (%s): run 'ollama pull' again".formatted(manifest, e.getOriginalMessage()), e);
        }
        List<JsonNode> layers = root.path("layers")
                .valueStream()
                .filter(layer -> layer.path("mediaType").asString("").equals(MODEL_LAYER))
                .toList();
        if (layers.size() != 1) {
            throw new CheckpointException(
                    "%s names %d GGUF files as its model, and Corral reads one".formatted(manifest, layers.size()));
        }
        return layers.getFirst();
    }

    private static String or(@Nullable String part, String otherwise) {
        return part == null ? otherwise : part;
    }
}
