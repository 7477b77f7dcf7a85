package dev.corral.quantization.graph;

import dev.corral.quantization.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The geometry of a Llama-architecture decoder, from a Hugging Face {@code config.json}
 * (huggingface/transformers:src/transformers/models/llama/configuration_llama.py).
 *
 * @param hidden width of the residual stream
 * @param layers decoder layers
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headSize width of one head
 * @param intermediate width of the MLP
 * @param vocabulary rows of the embedding
 * @param maxPositions longest sequence that the model was made for, in tokens
 * @param ropeTheta base of the rotary embedding
 * @param ropeScaling the stretching of the rotary embedding, where it is used
 * @param normEpsilon of all RMS norms
 * @param tied whether the embedding serves as the head, too
 */
public record LlamaConfig(
        int hidden,
        int layers,
        int heads,
        int kvHeads,
        int headSize,
        int intermediate,
        int vocabulary,
        int maxPositions,
        double ropeTheta,
        Optional<RopeScaling> ropeScaling,
        float normEpsilon,
        boolean tied) {

    /** How the rotary embedding is stretched. */
    public sealed interface RopeScaling {

        /**
         * Llama 3's way (huggingface/transformers:src/transformers/modeling_rope_utils.py,
         * {@code _compute_llama3_parameters}).
         */
        record Llama3(double factor, double lowFrequency, double highFrequency, double originalPositions)
                implements RopeScaling {}

        /** What each frequency is divided by, the highest frequency first. */
        record Divisors(List<Float> divisors) implements RopeScaling {

            public Divisors {
                divisors = List.copyOf(divisors);
            }
        }
    }

    /** The same with another stretching of the rotary embedding. */
    public LlamaConfig withRopeScaling(Optional<RopeScaling> other) {
        return new LlamaConfig(
                hidden,
                layers,
                heads,
                kvHeads,
                headSize,
                intermediate,
                vocabulary,
                maxPositions,
                ropeTheta,
                other,
                normEpsilon,
                tied);
    }

    /** What each frequency of the rotary embedding is divided by, the highest first; empty where it is not stretched. */
    public Optional<float[]> ropeDivisors() {
        return ropeScaling.map(_ -> {
            float[] stretched = RotaryTable.frequencies(headSize, ropeTheta, ropeScaling);
            float[] plain = RotaryTable.frequencies(headSize, ropeTheta, Optional.empty());
            for (int i = 0; i < plain.length; i++) {
                plain[i] /= stretched[i];
            }
            return plain;
        });
    }

    /** Reads and checks {@code config.json} of a directory. */
    public static LlamaConfig read(Path directory) {
        Path file = directory.resolve("config.json");
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(
                    "%s has no config.json: give the folder of a Hugging Face model".formatted(directory));
        }
        try {
            return new Reader(file, JsonMapper.shared().readTree(Files.readAllBytes(file))).config();
        } catch (IOException | JacksonException e) {
            throw new CheckpointException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private record Reader(Path file, JsonNode json) {

        LlamaConfig config() {
            requireText("model_type", "llama");
            requireText("hidden_act", "silu");
            requireAbsentOrFalse("attention_bias");
            requireAbsentOrFalse("mlp_bias");
            if (!json.path("quantization_config").isMissingNode()
                    && !json.path("quantization_config").isNull()) {
                throw unsupported(
                        "quantization_config", json.path("quantization_config"), "take the unquantised model");
            }
            int hidden = integer("hidden_size");
            int heads = integer("num_attention_heads");
            int kvHeads = json.has("num_key_value_heads") ? integer("num_key_value_heads") : heads;
            int headSize = json.path("head_dim").isNumber() ? integer("head_dim") : hidden / heads;
            if (heads % kvHeads != 0) {
                throw unsupported("num_key_value_heads", json.path("num_key_value_heads"), "it must divide the heads");
            }
            if (headSize % 8 != 0) {
                throw unsupported("head_dim", json.path("head_dim"), "it must be a multiple of 8");
            }
            return new LlamaConfig(
                    hidden,
                    integer("num_hidden_layers"),
                    heads,
                    kvHeads,
                    headSize,
                    integer("intermediate_size"),
                    integer("vocab_size"),
                    integer("max_position_embeddings"),
                    ropeTheta(),
                    ropeScaling(),
                    (float) json.path("rms_norm_eps").asDouble(1e-6),
                    json.path("tie_word_embeddings").asBoolean(false));
        }

        private double ropeTheta() {
            JsonNode theta = json.path("rope_parameters").path("rope_theta");
            return theta.isNumber() ? theta.asDouble() : json.path("rope_theta").asDouble(10_000);
        }

        private Optional<RopeScaling> ropeScaling() {
            JsonNode scaling =
                    json.path("rope_parameters").isObject() ? json.path("rope_parameters") : json.path("rope_scaling");
            if (!scaling.isObject()) {
                return Optional.empty();
            }
            String type =
                    scaling.path("rope_type").asString(scaling.path("type").asString("default"));
            return switch (type) {
                case "default" -> Optional.empty();
                case "llama3" ->
                    Optional.of(new RopeScaling.Llama3(
                            number(scaling, "factor"),
                            number(scaling, "low_freq_factor"),
                            number(scaling, "high_freq_factor"),
                            number(scaling, "original_max_position_embeddings")));
                default -> throw unsupported("rope_scaling.rope_type", scaling, "supported are 'llama3' and none");
            };
        }

        private double number(JsonNode object, String key) {
            JsonNode value = object.path(key);
            if (!value.isNumber() || value.asDouble() <= 0) {
                throw new CheckpointException(
                        "%s: rope_scaling.%s must be a positive number: %s".formatted(file, key, value));
            }
            return value.asDouble();
        }

        private int integer(String key) {
            JsonNode value = json.path(key);
            if (!value.canConvertToInt() || value.asInt() < 1) {
                throw new CheckpointException("%s: %s must be a positive whole number: %s"
                        .formatted(file, key, value.isMissingNode() ? "missing" : value));
            }
            return value.asInt();
        }

        private void requireText(String key, String supported) {
            if (!json.path(key).asString("").equals(supported)) {
                throw unsupported(key, json.path(key), "only '" + supported + "' is supported");
            }
        }

        private void requireAbsentOrFalse(String key) {
            if (json.path(key).asBoolean(false)) {
                throw unsupported(key, json.path(key), "only false is supported");
            }
        }

        private CheckpointException unsupported(String key, JsonNode value, String advice) {
            return new CheckpointException("%s: %s is %s: %s"
                    .formatted(file, key, value.isMissingNode() ? "missing" : value.toString(), advice));
        }
    }
}
