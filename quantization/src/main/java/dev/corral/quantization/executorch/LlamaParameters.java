package dev.corral.quantization.executorch;

import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.graph.LlamaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Meta's {@code params.json} (meta-llama/llama-models:models/llama3/args.py), which says what a program shows, too, and
 * what its rotary tables were made of. Other keys, such as those of training, are none of a guard's business.
 */
record LlamaParameters(Path file, ObjectNode json) {

    /** Reads the file. */
    static LlamaParameters read(Path file) {
        try {
            if (JsonMapper.shared().readTree(Files.readAllBytes(file)) instanceof ObjectNode json) {
                return new LlamaParameters(file, json);
            }
            throw new CheckpointException(file + " is not a params.json: it has no keys");
        } catch (IOException | JacksonException e) {
            throw new CheckpointException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /** The base of the rotary embedding. */
    Optional<Double> theta() {
        return number("rope_theta").filter(theta -> theta > 0);
    }

    /** Whether the rotary embedding is Llama 3's stretched one. */
    Optional<Boolean> scaled() {
        JsonNode value = json.path("use_scaled_rope");
        return value.isBoolean() ? Optional.of(value.booleanValue()) : Optional.empty();
    }

    /**
     * Compares with a program.
     *
     * @throws CheckpointException if they differ, saying in what
     */
    void requireLike(LlamaConfig found, String origin) {
        require("dim", found.hidden(), origin);
        require("n_layers", found.layers(), origin);
        require("n_heads", found.heads(), origin);
        require("n_kv_heads", found.kvHeads(), origin);
        require("hidden_dim", found.intermediate(), origin);
        require("vocab_size", found.vocabulary(), origin);
        require("norm_eps", found.normEpsilon(), origin);
    }

    private void require(String key, Number found, String origin) {
        // -1 stands for what the tokenizer says
        number(key)
                .filter(said -> said >= 0 && said.floatValue() != found.floatValue())
                .ifPresent(said -> {
                    throw new CheckpointException(
                            "%s: %s is %s, but %s shows %s; give the params.json that belongs to it"
                                    .formatted(file, key, json.path(key), origin, found));
                });
    }

    private Optional<Double> number(String key) {
        JsonNode value = json.path(key);
        return value.isNumber() ? Optional.of(value.doubleValue()) : Optional.empty();
    }
}
