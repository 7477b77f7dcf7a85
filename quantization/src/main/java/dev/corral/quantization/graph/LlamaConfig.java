package dev.corral.quantization.graph;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

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
        return of(ConfigJson.read(directory), "llama");
    }

    /**
     * Reads what a configuration says of its decoder.
     *
     * @param type the {@code model_type} that it must have
     */
    static LlamaConfig of(ConfigJson json, String type) {
        json.requireText("model_type", type);
        json.requireText("hidden_act", "silu");
        json.requireAbsentOrFalse("attention_bias");
        json.requireAbsentOrFalse("mlp_bias");
        json.requireUnquantised();
        int hidden = json.integer("hidden_size");
        int heads = json.integer("num_attention_heads");
        int kvHeads = json.has("num_key_value_heads") ? json.integer("num_key_value_heads") : heads;
        int headSize = json.value("head_dim").isNumber() ? json.integer("head_dim") : hidden / heads;
        if (heads % kvHeads != 0) {
            throw json.unsupported("num_key_value_heads", "it must divide the heads");
        }
        if (headSize % 8 != 0) {
            throw json.unsupported("head_dim", "it must be a multiple of 8");
        }
        return new LlamaConfig(
                hidden,
                json.integer("num_hidden_layers"),
                heads,
                kvHeads,
                headSize,
                json.integer("intermediate_size"),
                json.integer("vocab_size"),
                json.integer("max_position_embeddings"),
                ropeTheta(json),
                ropeScaling(json),
                (float) json.value("rms_norm_eps").asDouble(1e-6),
                json.value("tie_word_embeddings").asBoolean(false));
    }

    private static double ropeTheta(ConfigJson json) {
        JsonNode theta = json.value("rope_parameters").path("rope_theta");
        return theta.isNumber() ? theta.asDouble() : json.value("rope_theta").asDouble(10_000);
    }

    private static Optional<RopeScaling> ropeScaling(ConfigJson json) {
        JsonNode scaling =
                json.value("rope_parameters").isObject() ? json.value("rope_parameters") : json.value("rope_scaling");
        if (!scaling.isObject()) {
            return Optional.empty();
        }
        String type = scaling.path("rope_type").asString(scaling.path("type").asString("default"));
        return switch (type) {
            case "default" -> Optional.empty();
            case "llama3" ->
                Optional.of(new RopeScaling.Llama3(
                        json.number(scaling, "factor"),
                        json.number(scaling, "low_freq_factor"),
                        json.number(scaling, "high_freq_factor"),
                        json.number(scaling, "original_max_position_embeddings")));
            default -> throw json.unsupported("rope_scaling.rope_type", scaling, "supported are 'llama3' and none");
        };
    }

    /** The same decoder with another number of rows in its embedding. */
    public LlamaConfig withVocabulary(int rows) {
        return new LlamaConfig(
                hidden,
                layers,
                heads,
                kvHeads,
                headSize,
                intermediate,
                rows,
                maxPositions,
                ropeTheta,
                ropeScaling,
                normEpsilon,
                tied);
    }
}
