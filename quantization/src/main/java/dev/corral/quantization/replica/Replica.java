package dev.corral.quantization.replica;

import dev.corral.guardmodels.image.PreprocessorSettings;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.safetensors.CheckpointWriter;
import dev.corral.quantization.safetensors.CheckpointWriter.Entry;
import dev.corral.quantization.safetensors.SafetensorsTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A Hugging Face model directory with the geometry of a true guard and random weights. It takes the time, memory and
 * disk of the true one and judges nothing.
 *
 * <p>Weights are normal with the deviation 0.02 that Llama models are initialised with, norms and gates are 1, what is
 * added 0: activations stay
 * of the order of 1 and the verdict's logits differ by about 1, so that probabilities are neither 0 nor 1.
 *
 * @param seed the same seed gives the same bytes
 */
public record Replica(ReplicaShape shape, long seed) {

    private static final double DEVIATION = 0.02;
    private static final int CHUNK_BYTES = 8 << 20;

    /** The size of all weights. */
    public long bytes() {
        return entries().stream().mapToLong(Entry::bytes).sum();
    }

    /**
     * Writes the directory.
     *
     * @param to folder that must not exist yet; it appears only when it is complete
     * @param written told the bytes of weights written so far
     * @throws CheckpointException if there is something where the directory is to be
     */
    public void write(Path to, LongConsumer written) throws IOException {
        if (Files.exists(to)) {
            throw new CheckpointException("%s exists already: name a folder that does not, or delete it".formatted(to));
        }
        Path target = to.toAbsolutePath();
        Files.createDirectories(target.getParent());
        Path unfinished = Files.createDirectory(target.resolveSibling("." + target.getFileName() + ".unfinished-"
                + ProcessHandle.current().pid()));
        try {
            Files.writeString(unfinished.resolve("config.json"), configuration() + "\n");
            Files.writeString(unfinished.resolve("README.md"), card());
            ReplicaTokenizer.write(
                    unfinished.resolve("tokenizer.json"), shape.eyes().isPresent());
            if (shape.eyes().isPresent()) {
                Files.writeString(
                        unfinished.resolve("preprocessor_config.json"),
                        preprocessor(shape.eyes().get()) + "\n");
            }
            new CheckpointWriter(CheckpointWriter.SHARD_BYTES).write(unfinished, entries(), new Weights(written));
            Files.move(unfinished, target);
        } catch (IOException | RuntimeException e) {
            deleteTree(unfinished);
            throw e;
        }
    }

    private List<Entry> entries() {
        boolean eyes = shape.eyes().isPresent();
        String prefix = eyes ? "language_model.model." : "model.";
        long hidden = shape.hidden();
        List<Entry> entries = new ArrayList<>(List.of(matrix(prefix + "embed_tokens", shape.embeddingRows(), hidden)));
        for (int layer = 0; layer < shape.layers(); layer++) {
            entries.addAll(layer(layer, prefix + "layers." + layer + "."));
        }
        entries.add(vector(prefix + "norm.weight", hidden));
        entries.add(matrix(eyes ? "language_model.lm_head" : "lm_head", ReplicaShape.VOCABULARY, hidden));
        shape.eyes().ifPresent(found -> entries.addAll(eyes(found)));
        return entries;
    }

    private List<Entry> layer(int layer, String prefix) {
        long hidden = shape.hidden();
        long keys = (long) shape.kvHeads() * shape.headSize();
        long intermediate = shape.intermediate();
        boolean looks =
                shape.eyes().stream().anyMatch(eyes -> eyes.crossLayers().contains(layer));
        String attention = prefix + (looks ? "cross_attn." : "self_attn.");
        List<Entry> entries = new ArrayList<>();
        entries.add(vector(prefix + "input_layernorm.weight", hidden));
        entries.add(matrix(prefix + "mlp.down_proj", hidden, intermediate));
        entries.add(matrix(prefix + "mlp.gate_proj", intermediate, hidden));
        entries.add(matrix(prefix + "mlp.up_proj", intermediate, hidden));
        entries.add(vector(prefix + "post_attention_layernorm.weight", hidden));
        entries.add(matrix(attention + "k_proj", keys, hidden));
        entries.add(matrix(attention + "o_proj", hidden, hidden));
        entries.add(matrix(attention + "q_proj", hidden, hidden));
        entries.add(matrix(attention + "v_proj", keys, hidden));
        if (looks) {
            entries.add(vector(attention + "q_norm.weight", shape.headSize()));
            entries.add(vector(attention + "k_norm.weight", shape.headSize()));
            entries.add(vector(prefix + "cross_attn_attn_gate", 1));
            entries.add(vector(prefix + "cross_attn_mlp_gate", 1));
        }
        return entries;
    }

    private List<Entry> eyes(ReplicaShape.Eyes eyes) {
        long hidden = eyes.hidden();
        long tiles = ReplicaShape.Eyes.TILES;
        long arrangements = ReplicaShape.Eyes.ARRANGEMENTS;
        String prefix = "vision_model.";
        List<Entry> entries = new ArrayList<>();
        entries.add(matrix("multi_modal_projector", shape.hidden(), eyes.outputs()));
        entries.add(vector("multi_modal_projector.bias", shape.hidden()));
        entries.add(vector(prefix + "class_embedding", hidden));
        entries.add(vector(prefix + "gated_positional_embedding.gate", 1));
        entries.add(new Entry(
                prefix + "gated_positional_embedding.embedding",
                SafetensorsTensor.Type.BF16,
                List.of((long) eyes.tileTokens(), hidden)));
        entries.add(matrix(
                prefix + "gated_positional_embedding.tile_embedding",
                arrangements,
                tiles * eyes.tileTokens() * hidden));
        for (String place : List.of("pre", "post")) {
            entries.add(vector(prefix + place + "_tile_positional_embedding.gate", 1));
            entries.add(matrix(prefix + place + "_tile_positional_embedding.embedding", arrangements, tiles * hidden));
            entries.addAll(norm(prefix + "layernorm_" + place, hidden));
        }
        long patch = ReplicaShape.Eyes.PATCH;
        entries.add(new Entry(
                prefix + "patch_embedding.weight", SafetensorsTensor.Type.BF16, List.of(hidden, 3L, patch, patch)));
        for (int layer = 0; layer < eyes.layers(); layer++) {
            entries.addAll(eyesLayer(prefix + "transformer.layers." + layer + ".", eyes));
        }
        for (int layer = 0; layer < eyes.globalLayers(); layer++) {
            String global = prefix + "global_transformer.layers." + layer + ".";
            entries.addAll(eyesLayer(global, eyes));
            entries.add(vector(global + "gate_attn", 1));
            entries.add(vector(global + "gate_ffn", 1));
        }
        return entries;
    }

    private static List<Entry> eyesLayer(String prefix, ReplicaShape.Eyes eyes) {
        long hidden = eyes.hidden();
        List<Entry> entries = new ArrayList<>();
        for (String norm : List.of("input_layernorm", "post_attention_layernorm")) {
            entries.addAll(norm(prefix + norm, hidden));
        }
        for (String projection : List.of("q_proj", "k_proj", "v_proj", "o_proj")) {
            entries.add(matrix(prefix + "self_attn." + projection, hidden, hidden));
        }
        entries.add(matrix(prefix + "mlp.fc1", eyes.intermediate(), hidden));
        entries.add(vector(prefix + "mlp.fc1.bias", eyes.intermediate()));
        entries.add(matrix(prefix + "mlp.fc2", hidden, eyes.intermediate()));
        entries.add(vector(prefix + "mlp.fc2.bias", hidden));
        return entries;
    }

    private static List<Entry> norm(String name, long width) {
        return List.of(vector(name + ".weight", width), vector(name + ".bias", width));
    }

    private static Entry matrix(String name, long rows, long columns) {
        return new Entry(name + ".weight", SafetensorsTensor.Type.BF16, List.of(rows, columns));
    }

    private static Entry vector(String name, long width) {
        return new Entry(name, SafetensorsTensor.Type.BF16, List.of(width));
    }

    private String configuration() {
        ObjectNode decoder = decoder();
        if (shape.eyes().isEmpty()) {
            return decoder.toPrettyString();
        }
        ReplicaShape.Eyes eyes = shape.eyes().get();
        ArrayNode looking = decoder.put("model_type", "mllama_text_model").putArray("cross_attention_layers");
        eyes.crossLayers().forEach(looking::add);
        ObjectNode config = JsonMapper.shared().createObjectNode();
        config.putArray("architectures").add("MllamaForConditionalGeneration");
        config.put("model_type", "mllama").put("image_token_index", ReplicaShape.VOCABULARY);
        config.set("text_config", decoder);
        ObjectNode vision = config.putObject("vision_config")
                .put("model_type", "mllama_vision_model")
                .put("hidden_act", "gelu")
                .put("hidden_size", eyes.hidden())
                .put("intermediate_size", eyes.intermediate())
                .put("attention_heads", eyes.heads())
                .put("num_hidden_layers", eyes.layers())
                .put("num_global_layers", eyes.globalLayers())
                .put("image_size", eyes.imageSize())
                .put("patch_size", ReplicaShape.Eyes.PATCH)
                .put("max_num_tiles", ReplicaShape.Eyes.TILES)
                .put("vision_output_dim", eyes.outputs());
        ArrayNode seen = vision.putArray("intermediate_layers_indices");
        eyes.seen().forEach(seen::add);
        return config.toPrettyString();
    }

    private ObjectNode decoder() {
        ObjectNode config = JsonMapper.shared().createObjectNode();
        config.putArray("architectures").add("LlamaForCausalLM");
        config.put("model_type", "llama")
                .put("hidden_act", "silu")
                .put("hidden_size", shape.hidden())
                .put("intermediate_size", shape.intermediate())
                .put("num_hidden_layers", shape.layers())
                .put("num_attention_heads", shape.heads())
                .put("num_key_value_heads", shape.kvHeads())
                .put("head_dim", shape.headSize())
                .put("vocab_size", ReplicaShape.VOCABULARY)
                .put("max_position_embeddings", 131_072)
                .put("rms_norm_eps", 1e-5)
                .put("rope_theta", 500_000.0);
        config.putObject("rope_scaling")
                .put("rope_type", "llama3")
                .put("factor", 8.0)
                .put("low_freq_factor", 1.0)
                .put("high_freq_factor", 4.0)
                .put("original_max_position_embeddings", 8192);
        config.put("attention_bias", false)
                .put("mlp_bias", false)
                .put("tie_word_embeddings", false)
                .put("initializer_range", DEVIATION)
                .put("bos_token_id", 128_000);
        config.putArray("eos_token_id").add(128_001).add(128_008).add(128_009);
        return config.put("torch_dtype", "bfloat16");
    }

    /** What Llama Guard 3 11B Vision says of its images, for tiles of another size. */
    private static String preprocessor(ReplicaShape.Eyes eyes) {
        PreprocessorSettings settings = PreprocessorSettings.LLAMA_GUARD_3_11B_VISION;
        ObjectNode config = JsonMapper.shared().createObjectNode();
        config.put("image_processor_type", "MllamaImageProcessor").put("max_image_tiles", ReplicaShape.Eyes.TILES);
        config.putObject("size").put("height", eyes.imageSize()).put("width", eyes.imageSize());
        ArrayNode mean = config.putArray("image_mean");
        settings.mean().forEach(mean::add);
        ArrayNode std = config.putArray("image_std");
        settings.std().forEach(std::add);
        return config.toPrettyString();
    }

    private String card() {
        return """
                # Random weights: for benches only

                This directory has the geometry of %s (%d layers) and random weights (seed %d). It takes the time,
                memory and disk of the true model and judges nothing: its verdicts are noise. The tokenizer has the
                size and the special tokens of Llama 3's, but other words, so token counts are near the true ones, not
                equal. Nothing in it is Meta's.
                """.formatted(shape.id(), shape.layers(), seed);
    }

    private static void deleteTree(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /** The elements of all tensors, a chunk at a time. */
    private final class Weights implements CheckpointWriter.Content {

        private final RandomWeights random = new RandomWeights(seed, DEVIATION);
        private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        private final LongConsumer written;
        private long stream;
        private long done;

        private Weights(LongConsumer written) {
            this.written = written;
        }

        @Override
        public void write(Entry entry, WritableByteChannel out) throws IOException {
            boolean vector = entry.shape().size() == 1;
            stream++;
            long position = 0;
            while (position < entry.elements()) {
                int count = (int) Math.min(CHUNK_BYTES / entry.type().bytes(), entry.elements() - position);
                chunk.clear().limit(count * entry.type().bytes());
                if (vector) {
                    short value = RandomWeights.bfloat16(entry.name().endsWith(".bias") ? 0 : 1);
                    IntStream.range(0, count).forEach(i -> chunk.putShort(i * Short.BYTES, value));
                } else {
                    random.fill(stream, position, chunk.asShortBuffer());
                }
                while (chunk.hasRemaining()) {
                    done += out.write(chunk);
                }
                position += count;
                written.accept(done);
            }
        }
    }
}
