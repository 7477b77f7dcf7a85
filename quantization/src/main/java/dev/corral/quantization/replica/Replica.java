package dev.corral.quantization.replica;

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
import tools.jackson.databind.node.ObjectNode;

/**
 * A Hugging Face model directory with the geometry of a true guard and random weights. It takes the time, memory and
 * disk of the true one and judges nothing.
 *
 * <p>Weights are normal with the deviation 0.02 that Llama models are initialised with, norms are 1: activations stay
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
            ReplicaTokenizer.write(unfinished.resolve("tokenizer.json"));
            new CheckpointWriter(CheckpointWriter.SHARD_BYTES).write(unfinished, entries(), new Weights(written));
            Files.move(unfinished, target);
        } catch (IOException | RuntimeException e) {
            deleteTree(unfinished);
            throw e;
        }
    }

    private List<Entry> entries() {
        long hidden = shape.hidden();
        long keys = (long) shape.kvHeads() * shape.headSize();
        long intermediate = shape.intermediate();
        List<Entry> entries = new ArrayList<>(List.of(matrix("model.embed_tokens", ReplicaShape.VOCABULARY, hidden)));
        for (int layer = 0; layer < shape.layers(); layer++) {
            String prefix = "model.layers." + layer + ".";
            entries.add(norm(prefix + "input_layernorm"));
            entries.add(matrix(prefix + "mlp.down_proj", hidden, intermediate));
            entries.add(matrix(prefix + "mlp.gate_proj", intermediate, hidden));
            entries.add(matrix(prefix + "mlp.up_proj", intermediate, hidden));
            entries.add(norm(prefix + "post_attention_layernorm"));
            entries.add(matrix(prefix + "self_attn.k_proj", keys, hidden));
            entries.add(matrix(prefix + "self_attn.o_proj", hidden, hidden));
            entries.add(matrix(prefix + "self_attn.q_proj", hidden, hidden));
            entries.add(matrix(prefix + "self_attn.v_proj", keys, hidden));
        }
        entries.add(norm("model.norm"));
        entries.add(matrix("lm_head", ReplicaShape.VOCABULARY, hidden));
        return entries;
    }

    private static Entry matrix(String name, long rows, long columns) {
        return new Entry(name + ".weight", SafetensorsTensor.Type.BF16, List.of(rows, columns));
    }

    private Entry norm(String name) {
        return new Entry(name + ".weight", SafetensorsTensor.Type.BF16, List.of((long) shape.hidden()));
    }

    private String configuration() {
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
        return config.put("torch_dtype", "bfloat16").toPrettyString();
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
            boolean norm = entry.shape().size() == 1;
            stream++;
            long position = 0;
            while (position < entry.elements()) {
                int count = (int) Math.min(CHUNK_BYTES / entry.type().bytes(), entry.elements() - position);
                chunk.clear().limit(count * entry.type().bytes());
                if (norm) {
                    short one = RandomWeights.bfloat16(1);
                    IntStream.range(0, count).forEach(i -> chunk.putShort(i * Short.BYTES, one));
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
