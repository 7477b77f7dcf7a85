package dev.corral.quantization.graph;

import dev.corral.quantization.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The geometry of a Llama with eyes, from a Hugging Face {@code config.json}
 * (huggingface/transformers:src/transformers/models/mllama/configuration_mllama.py).
 *
 * @param text the decoder; its embedding has {@value #EXTRA_ROWS} rows more than its head
 * @param crossLayers those of its layers that look at the image in place of the text before, ascending
 * @param vision the encoder of images
 * @param imageToken the token that stands for the image
 */
public record MllamaConfig(LlamaConfig text, List<Integer> crossLayers, Vision vision, int imageToken) {

    /** Rows of the embedding that no output belongs to: the image's token, and reserved ones. */
    static final int EXTRA_ROWS = 8;

    private static final String TEXT_DEFAULTS = """
            {"vocab_size": 128256, "hidden_size": 4096, "num_hidden_layers": 40, "num_attention_heads": 32,
             "num_key_value_heads": 8, "intermediate_size": 14336, "rope_theta": 500000, "rms_norm_eps": 1e-5,
             "max_position_embeddings": 131072, "cross_attention_layers": [3, 8, 13, 18, 23, 28, 33, 38],
             "hidden_act": "silu", "model_type": "mllama_text_model"}""";

    private static final String VISION_DEFAULTS = """
            {"hidden_size": 1280, "num_hidden_layers": 32, "num_global_layers": 8, "attention_heads": 16,
             "num_channels": 3, "intermediate_size": 5120, "vision_output_dim": 7680, "image_size": 448,
             "patch_size": 14, "norm_eps": 1e-5, "max_num_tiles": 4, "hidden_act": "gelu",
             "model_type": "mllama_vision_model", "intermediate_layers_indices": [3, 7, 15, 23, 30]}""";

    public MllamaConfig {
        crossLayers = List.copyOf(crossLayers);
    }

    /**
     * The encoder of images.
     *
     * @param layers that come first
     * @param globalLayers that follow, with gates
     * @param seen layers whose outputs the decoder sees beside the last one, ascending
     * @param imageSize width and height of a tile in pixels
     * @param tiles most tiles of an image
     */
    public record Vision(
            int hidden,
            int layers,
            int globalLayers,
            int heads,
            int intermediate,
            List<Integer> seen,
            int imageSize,
            int patchSize,
            int tiles,
            float normEpsilon) {

        /** Tokens are padded to a multiple of it, a tile's by themselves. */
        private static final int PADDED_TO = 8;

        /** Arrangements of at most four tiles, and none. */
        private static final int ARRANGEMENTS = 9;

        public Vision {
            seen = List.copyOf(seen);
        }

        /** Patches in a row of a tile. */
        int side() {
            return imageSize / patchSize;
        }

        /** A token for each patch of a tile, and one for its class. */
        int tileTokens() {
            return side() * side() + 1;
        }

        /** Tokens without content that follow those of a tile. */
        int tilePadding() {
            return Math.floorMod(-tileTokens(), PADDED_TO);
        }

        /** Tokens of an image that the decoder sees. */
        public int imageTokens() {
            return tiles * tileTokens();
        }

        int arrangements() {
            return ARRANGEMENTS;
        }
    }

    /** What {@link #read} gives, where a directory holds such a model. */
    public static Optional<MllamaConfig> find(Path directory) {
        boolean sees =
                ConfigJson.read(directory).value("model_type").asString("").equals("mllama");
        return sees ? Optional.of(read(directory)) : Optional.empty();
    }

    /** Reads and checks {@code config.json} of a directory. */
    public static MllamaConfig read(Path directory) {
        ConfigJson json = ConfigJson.read(directory);
        json.requireText("model_type", "mllama");
        json.requireUnquantised();
        ConfigJson textJson = json.section("text_config", TEXT_DEFAULTS);
        LlamaConfig text = LlamaConfig.of(textJson, "mllama_text_model");
        int imageToken = json.has("image_token_index") ? json.integer("image_token_index") : text.vocabulary();
        if (imageToken < text.vocabulary() || imageToken >= text.vocabulary() + EXTRA_ROWS) {
            throw json.unsupported(
                    "image_token_index", "it must be one of the %d after the vocabulary".formatted(EXTRA_ROWS));
        }
        return new MllamaConfig(
                text.withVocabulary(text.vocabulary() + EXTRA_ROWS),
                textJson.indices("cross_attention_layers", text.layers()),
                vision(json.section("vision_config", VISION_DEFAULTS)),
                imageToken);
    }

    private static Vision vision(ConfigJson json) {
        json.requireText("model_type", "mllama_vision_model");
        json.requireText("hidden_act", "gelu");
        int layers = json.integer("num_hidden_layers");
        Vision vision = new Vision(
                json.integer("hidden_size"),
                layers,
                json.integer("num_global_layers"),
                json.integer("attention_heads"),
                json.integer("intermediate_size"),
                json.indices("intermediate_layers_indices", layers),
                json.integer("image_size"),
                json.integer("patch_size"),
                json.integer("max_num_tiles"),
                (float) json.value("norm_eps").asDouble());
        if (vision.hidden() % vision.heads() != 0) {
            throw json.unsupported("attention_heads", "it must divide hidden_size");
        }
        if (vision.imageSize() % vision.patchSize() != 0) {
            throw json.unsupported("image_size", "it must be a multiple of patch_size");
        }
        if (json.integer("num_channels") != 3) {
            throw json.unsupported("num_channels", "only 3 is supported");
        }
        if (vision.tiles() != 4) {
            throw json.unsupported("max_num_tiles", "only 4 is supported");
        }
        int output = (1 + vision.seen().size()) * vision.hidden();
        if (json.integer("vision_output_dim") != output) {
            throw json.unsupported(
                    "vision_output_dim",
                    "%d layers of width %d give %d".formatted(1 + vision.seen().size(), vision.hidden(), output));
        }
        return vision;
    }

    /** Outputs of the head that the checkpoint has. */
    public int headRows() {
        return text.vocabulary() - EXTRA_ROWS;
    }

    /** Layers that look at the text before them. */
    public int selfLayers() {
        return text.layers() - crossLayers.size();
    }

    /**
     * What the names of a checkpoint's tensors begin with: as they were published, or as later versions of transformers
     * write them.
     *
     * @param decoder of the decoder's
     * @param head the decoder's head
     * @param vision of the encoder's
     * @param projector what makes the encoder's outputs as wide as the decoder
     */
    public record Names(String decoder, String head, String vision, String projector) {

        private static final Names PUBLISHED =
                new Names("language_model.model.", "language_model.lm_head", "vision_model.", "multi_modal_projector");
        private static final Names LATER =
                new Names("model.language_model.", "lm_head", "model.vision_model.", "model.multi_modal_projector");

        /** Those of a checkpoint. */
        public static Names of(Checkpoint weights) {
            return weights.find(LATER.decoder + "norm.weight").isPresent() ? LATER : PUBLISHED;
        }
    }
}
