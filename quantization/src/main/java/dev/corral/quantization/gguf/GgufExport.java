package dev.corral.quantization.gguf;

import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Quantised;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.Matrix;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/**
 * Writes a decoder as a GGUF file that llama.cpp and Ollama run, and {@link GgufModel} reads back. Numbers in blocks whose
 * scales have 16 bits are carried over, whatever multiple of 32 their blocks have; halves stay halves.
 */
public final class GgufExport {

    private final LlamaConfig config;
    private final Checkpoint weights;
    private final Rest rest;
    private final GgufWriter out = new GgufWriter();

    /** What is made of weights that have no form of their own in GGUF. */
    public enum Rest {
        F32(GgmlType.F32),
        F16(GgmlType.F16),
        Q8_0(GgmlType.Q8_0);

        private final GgmlType type;

        Rest(GgmlType type) {
            this.type = type;
        }
    }

    /**
     * What a file says of the model in it.
     *
     * @param description how it is asked
     * @param chatTemplate in Jinja
     * @param verdictTokens whose output rows are all of its head, where it has one for its verdict only
     */
    public record About(
            String name, String licence, String description, String chatTemplate, List<Integer> verdictTokens) {

        public About {
            verdictTokens = List.copyOf(verdictTokens);
        }
    }

    /**
     * What is written.
     *
     * @param weights by Hugging Face's names
     * @param output a row for each token
     */
    public GgufExport(
            LlamaConfig config, Checkpoint weights, Matrix output, String tokenizerJson, About about, Rest rest) {
        this.config = config;
        this.weights = weights;
        this.rest = rest;
        out.text("general.architecture", "llama")
                .text("general.name", about.name)
                .text("general.license", about.licence)
                .text("general.description", about.description)
                .uint32("llama.vocab_size", config.vocabulary())
                .uint32("llama.context_length", config.maxPositions())
                .uint32("llama.embedding_length", config.hidden())
                .uint32("llama.block_count", config.layers())
                .uint32("llama.feed_forward_length", config.intermediate())
                .uint32("llama.attention.head_count", config.heads())
                .uint32("llama.attention.head_count_kv", config.kvHeads())
                .uint32("llama.attention.key_length", config.headSize())
                .uint32("llama.attention.value_length", config.headSize())
                .uint32("llama.rope.dimension_count", config.headSize())
                .float32("llama.rope.freq_base", (float) config.ropeTheta())
                .float32("llama.attention.layer_norm_rms_epsilon", config.normEpsilon());
        GgufVocabulary.of(tokenizerJson, config.vocabulary()).write(out);
        out.text("tokenizer.chat_template", about.chatTemplate);
        if (!about.verdictTokens.isEmpty()) {
            out.int32s(GgufModel.VERDICT_TOKENS, about.verdictTokens);
        }
        config.ropeDivisors().ifPresent(divisors -> out.vector(GgufModel.ROPE_DIVISORS, divisors));
        add("output.weight", output, GgmlType.F32);
        weights.names().forEach(this::add);
    }

    /** Bytes of all tensors. */
    public long bytes() {
        return out.bytes();
    }

    /** Writes the file, which must not exist yet; {@code progress} is told the bytes written so far. */
    public void write(Path file, LongConsumer progress) throws IOException {
        long[] written = {0};
        out.write(file, bytes -> {
            written[0] += bytes;
            progress.accept(written[0]);
        });
    }

    private void add(String name) {
        Tensor tensor = weights.require(name);
        String theirs = TensorNames.llamaCpp(name)
                .orElseThrow(() -> new CheckpointException("llama.cpp has no name for the tensor '" + name + "'"));
        if (tensor.shape().size() == 1) {
            out.vector(theirs, tensor.vector());
            return;
        }
        Matrix matrix = Matrix.of(tensor);
        if (TensorNames.rotates(theirs)) {
            matrix = matrix.select(inPairs(matrix.rows()));
        }
        Optional<Quantised> numbers =
                matrix.quantised().filter(stored -> GgufWriter.fits(stored.layout(), tensor.columns()));
        if (numbers.isPresent()) {
            GgmlType type = numbers.get().layout().bits() == Byte.SIZE ? GgmlType.Q8_0 : GgmlType.Q4_0;
            out.matrix(
                    theirs, type, tensor.rows(), tensor.columns(), GgufWriter.blocks(numbers.get(), tensor.columns()));
        } else {
            boolean halves = tensor.storage().equals("F16") && rest == Rest.F32;
            add(theirs, matrix, halves ? GgmlType.F16 : rest.type);
        }
    }

    private void add(String name, Matrix matrix, GgmlType type) {
        GgmlType possible = matrix.columns() % type.elements() == 0 ? type : GgmlType.F32;
        float[] row = new float[matrix.columns()];
        out.matrix(name, possible, matrix.rows(), matrix.columns(), (r, target) -> {
            matrix.row(r, row);
            put(possible, row, target);
        });
    }

    private static void put(GgmlType type, float[] row, ByteBuffer target) {
        switch (type) {
            case F16 -> {
                for (float weight : row) {
                    target.putShort(Float.floatToFloat16(weight));
                }
            }
            case Q8_0 -> {
                for (int from = 0; from < row.length; from += type.elements()) {
                    putBlock(Arrays.copyOfRange(row, from, from + type.elements()), target);
                }
            }
            default -> {
                for (float weight : row) {
                    target.putFloat(weight);
                }
            }
        }
    }

    /** {@code quantize_row_q8_0_ref} of {@code ggml-org/llama.cpp:ggml/src/ggml-quants.c}. */
    private static void putBlock(float[] block, ByteBuffer target) {
        float farthest = 0;
        for (float weight : block) {
            farthest = Math.max(farthest, Math.abs(weight));
        }
        float scale = farthest / Byte.MAX_VALUE;
        float inverse = scale == 0 ? 0 : 1 / scale;
        target.putShort(Float.floatToFloat16(scale));
        for (float weight : block) {
            target.put((byte) Math.round(weight * inverse));
        }
    }

    /** Where the rows of llama.cpp's order are in Hugging Face's. */
    private List<Integer> inPairs(int rows) {
        int size = config.headSize();
        return IntStream.range(0, rows)
                .map(row -> row - row % size + row % 2 * (size / 2) + row % size / 2)
                .boxed()
                .toList();
    }
}
