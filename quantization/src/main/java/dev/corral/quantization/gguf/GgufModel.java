package dev.corral.quantization.gguf;

import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.LlamaConfig.RopeScaling;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A Llama-architecture model in a GGUF file: its geometry, its tokenizer, its weights. Tensors get the names and the
 * layout that Hugging Face gives them: llama.cpp's converter moves the rows of queries and keys, whose rotary embedding
 * turns pairs of neighbours there ({@code ggml-org/llama.cpp:convert_hf_to_gguf.py}).
 *
 * @param tokenizerJson the tokenizer as a Hugging Face {@code tokenizer.json}
 * @param licence what the metadata says of it
 */
public record GgufModel(LlamaConfig config, String tokenizerJson, Checkpoint weights, Optional<String> licence) {

    private static final String ARCHITECTURE = "llama";

    /** Tokens whose output rows are a verdict head: safe, unsafe, and each hazard; a key of Corral's own. */
    static final String VERDICT_TOKENS = "corral.verdict_tokens";

    /** Divisors of the rotary embedding's frequencies. */
    static final String ROPE_DIVISORS = "rope_freqs.weight";

    /**
     * Maps a file; the weights are to be closed.
     *
     * @throws CheckpointException if it is damaged or not supported, saying what and why
     */
    @SuppressWarnings("MustBeClosedChecker") // the arena lives as long as the weights, which close it
    public static GgufModel open(Path file) {
        Arena arena = Arena.ofShared();
        try {
            GgufFile read = GgufFile.map(file, arena);
            LlamaConfig config = new Geometry(read, file.toString()).config();
            String tokenizer = new GgufTokenizer(read.metadata(), file.toString()).json(config.vocabulary());
            return new GgufModel(
                    config,
                    tokenizer,
                    new Weights(arena, file, named(read, config)),
                    read.metadata().text("general.license"));
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    /** What the metadata says of the decoder's shape. */
    private record Geometry(GgufFile file, String name) {

        LlamaConfig config() {
            Metadata metadata = file.metadata();
            String architecture =
                    metadata.text("general.architecture").orElseThrow(() -> metadata.missing("general.architecture"));
            if (!architecture.equals(ARCHITECTURE)) {
                throw metadata.wrong(
                        "general.architecture", "be 'llama', all that Corral runs", "'" + architecture + "'");
            }
            metadata.integer("llama.expert_count").filter(count -> count > 0).ifPresent(count -> {
                throw metadata.wrong("llama.expert_count", "be 0: models of experts are not supported", count);
            });
            int hidden = metadata.size("llama.embedding_length");
            int heads = each("llama.attention.head_count")
                    .orElseThrow(() -> metadata.missing("llama.attention.head_count"));
            int kvHeads = each("llama.attention.head_count_kv").orElse(heads);
            int headSize = metadata.has("llama.attention.key_length")
                    ? metadata.size("llama.attention.key_length")
                    : hidden / heads;
            require("llama.attention.value_length", headSize);
            require("llama.rope.dimension_count", headSize);
            if (heads % kvHeads != 0) {
                throw metadata.wrong("llama.attention.head_count_kv", "divide the " + heads + " heads", kvHeads);
            }
            if (headSize % 8 != 0 || headSize == 0) {
                throw metadata.wrong("llama.attention.key_length", "be a multiple of 8", headSize);
            }
            GgufTensor embedding = Optional.ofNullable(file.tensors().get("token_embd.weight"))
                    .orElseThrow(() -> new CheckpointException(
                            "%s has no tensor 'token_embd.weight': it is not a whole Llama model".formatted(name)));
            double theta = metadata.number("llama.rope.freq_base").orElse(10_000.0);
            if (!(theta > 0) || Double.isInfinite(theta)) {
                throw metadata.wrong("llama.rope.freq_base", "be a positive number", theta);
            }
            double epsilon = metadata.number("llama.attention.layer_norm_rms_epsilon")
                    .orElseThrow(() -> metadata.missing("llama.attention.layer_norm_rms_epsilon"));
            if (!(epsilon > 0 && epsilon < 1)) {
                throw metadata.wrong("llama.attention.layer_norm_rms_epsilon", "be between 0 and 1", epsilon);
            }
            return new LlamaConfig(
                    hidden,
                    metadata.size("llama.block_count"),
                    heads,
                    kvHeads,
                    headSize,
                    each("llama.feed_forward_length").orElseThrow(() -> metadata.missing("llama.feed_forward_length")),
                    embedding.rows(),
                    metadata.size("llama.context_length"),
                    theta,
                    ropeScaling(headSize),
                    (float) epsilon,
                    !file.tensors().containsKey("output.weight"));
        }

        /** A size, or the one that an array has for every layer. */
        private Optional<Integer> each(String key) {
            Metadata metadata = file.metadata();
            if (!metadata.has(key)) {
                return Optional.empty();
            }
            if (metadata.isArray(key)) {
                long[] distinct = Arrays.stream(metadata.integers(key).orElseThrow())
                        .distinct()
                        .toArray();
                if (distinct.length != 1) {
                    throw metadata.wrong(key, "be the same for all layers", Arrays.toString(distinct));
                }
                return Optional.of(metadata.size(key, distinct[0]));
            }
            return Optional.of(metadata.size(key));
        }

        private void require(String key, int wanted) {
            file.metadata().integer(key).filter(found -> found != wanted).ifPresent(found -> {
                throw file.metadata().wrong(key, "be " + wanted + ", the size of a head", found);
            });
        }

        private Optional<RopeScaling> ropeScaling(int headSize) {
            Metadata metadata = file.metadata();
            GgufTensor divisors = file.tensors().get(ROPE_DIVISORS);
            if (divisors != null) {
                float[] values = divisors.requireShape(headSize / 2).vector();
                Float[] boxed = new Float[values.length];
                for (int i = 0; i < values.length; i++) {
                    if (!(values[i] > 0)) {
                        throw new CheckpointException("%s: the divisor %d of '%s' must be positive: %s"
                                .formatted(name, i, ROPE_DIVISORS, values[i]));
                    }
                    boxed[i] = values[i];
                }
                return Optional.of(new RopeScaling.Divisors(List.of(boxed)));
            }
            String type = metadata.text("llama.rope.scaling.type").orElse("none");
            double factor = positive("llama.rope.scaling.factor").orElse(1.0);
            return switch (type) {
                case "none" -> Optional.empty();
                case "linear" ->
                    Optional.of(new RopeScaling.Divisors(Collections.nCopies(headSize / 2, (float) factor)));
                case "llama3" ->
                    Optional.of(new RopeScaling.Llama3(
                            factor,
                            positive("llama.rope.scaling.low_freq_factor").orElse(1.0),
                            positive("llama.rope.scaling.high_freq_factor").orElse(4.0),
                            positive("llama.rope.scaling.original_context_length")
                                    .orElseThrow(
                                            () -> metadata.missing("llama.rope.scaling.original_context_length"))));
                default ->
                    throw metadata.wrong("llama.rope.scaling.type", "be none, linear or llama3", "'" + type + "'");
            };
        }

        private Optional<Double> positive(String key) {
            Optional<Double> number = file.metadata().number(key);
            number.filter(value -> !(value > 0)).ifPresent(value -> {
                throw file.metadata().wrong(key, "be a positive number", value);
            });
            return number;
        }
    }

    private static Map<String, Tensor> named(GgufFile file, LlamaConfig config) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        file.tensors().forEach((name, tensor) -> {
            if (name.equals(ROPE_DIVISORS)) {
                return;
            }
            String theirs = TensorNames.huggingFace(name)
                    .orElseThrow(() -> new CheckpointException(
                            "tensor '%s' is none of a Llama decoder: models that have such are not supported"
                                    .formatted(name)));
            tensors.put(theirs, TensorNames.rotates(name) ? inHalves(tensor, config.headSize()) : tensor);
        });
        file.metadata().integers(VERDICT_TOKENS).ifPresent(tokens -> {
            GgufTensor output = Optional.ofNullable(file.tensors().get("output.weight"))
                    .orElseThrow(() -> new CheckpointException(
                            "'%s' names rows of a tensor 'output.weight', which is missing".formatted(VERDICT_TOKENS)));
            tensors.put(Checkpoint.VERDICT_HEAD, output.select(rows(file.metadata(), tokens, output.rows())));
        });
        return tensors;
    }

    private static List<Integer> rows(Metadata metadata, long[] tokens, int rows) {
        List<Integer> chosen = new ArrayList<>();
        for (long token : tokens) {
            if (token < 0 || token >= rows) {
                throw metadata.wrong(VERDICT_TOKENS, "be less than the " + rows + " rows of 'output.weight'", token);
            }
            chosen.add((int) token);
        }
        return chosen;
    }

    private static Tensor inHalves(GgufTensor tensor, int headSize) {
        if (tensor.rows() % headSize != 0) {
            throw new CheckpointException("tensor '%s' has %d rows, which are no heads of %d"
                    .formatted(tensor.name(), tensor.rows(), headSize));
        }
        return tensor.inHalves(headSize);
    }

    /** The tensors of one file by Hugging Face's names. */
    private record Weights(Arena arena, Path file, Map<String, Tensor> tensors) implements Checkpoint {

        Weights {
            tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
        }

        @Override
        public List<Path> files() {
            return List.of(file);
        }

        @Override
        public Set<String> names() {
            return tensors.keySet();
        }

        @Override
        public Optional<Tensor> find(String name) {
            return Optional.ofNullable(tensors.get(name));
        }

        @Override
        public void close() {
            arena.close();
        }
    }
}
