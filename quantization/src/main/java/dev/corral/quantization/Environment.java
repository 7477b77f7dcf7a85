package dev.corral.quantization;

import dev.corral.quantization.hub.HubAddress;
import dev.corral.quantization.hub.HubToken;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What the user's environment says of models.
 *
 * @param variables by name
 * @param home the user's home folder
 */
record Environment(Map<String, String> variables, Path home) {

    Environment {
        variables = Map.copyOf(variables);
    }

    /** {@code CORRAL_MODELS}, or {@code corral/models} in the folder for data of the XDG Base Directory Specification. */
    Path models() {
        Path data = path("XDG_DATA_HOME").orElse(home.resolve(".local").resolve("share"));
        return path("CORRAL_MODELS").orElse(data.resolve("corral").resolve("models"));
    }

    /** {@code OLLAMA_MODELS}, or where Ollama keeps the models of a user. */
    Path ollama() {
        return path("OLLAMA_MODELS").orElse(home.resolve(".ollama").resolve("models"));
    }

    /** {@code HF_ENDPOINT}, as Hugging Face's own tools know it, or Hugging Face itself. */
    String hub() {
        return set("HF_ENDPOINT").orElse(HubAddress.HUGGING_FACE);
    }

    Optional<HubToken> token() {
        return HubToken.find(variables, home);
    }

    private Optional<Path> path(String name) {
        return set(name).map(Path::of);
    }

    private Optional<String> set(String name) {
        return Optional.ofNullable(variables.get(name)).filter(value -> !value.isBlank());
    }
}
