package dev.corral.quantization.executorch;

import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.RotaryTable;
import dev.corral.quantization.recipe.Format;
import dev.corral.quantization.recipe.Recipe;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A Llama guard in an ExecuTorch program for phones ({@code .pte}), as Meta publishes Llama Guard 3 1B in 4 bits:
 * weights quantised as 8da4w for XNNPACK, and an output layer that was pruned to the tokens of a verdict.
 *
 * <p>Its tensors have the names and the order of rows that Hugging Face gives them, and the very numbers and scales of
 * the file.
 */
public final class ExecutorchModel implements Checkpoint {

    /** The output layer: a row for each of {@link #tokens()}. */
    public static final String HEAD = "pruned_head.weight";

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int COMPARED_POSITIONS = 128;
    private static final int MOST_HEAD_ROWS = 10_000;

    /** What published Llama 3 models have; ExecuTorch's factor was 8 for all models up to December 2024. */
    private static final double THETA = 500_000;

    private static final List<Double> FACTORS = List.of(8.0, 32.0);
    private static final double ORIGINAL_POSITIONS = 8192;

    private final Path file;
    private final ProgramFile program;
    private final SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
    private final List<Integer> tokens;
    private final LlamaConfig config;
    private final boolean rotaryRecognised;

    private ExecutorchModel(Path file, ProgramFile program, Optional<LlamaParameters> parameters) {
        this.file = file;
        this.program = program;
        Decoder decoder = Decoder.of(Reading.of(program, program.forward()), program.origin());
        this.tokens = tokens(decoder);
        Tensor cosines = table(RotaryTable.COSINES, decoder.shape().cosines(), decoder.shape());
        Tensor sines = table(RotaryTable.SINES, decoder.shape().sines(), decoder.shape());
        LlamaConfig unturned = config(decoder, cosines, parameters);
        Optional<LlamaConfig> recognised = candidates(unturned, parameters)
                .filter(candidate -> new RotaryTable(candidate, Math.min(COMPARED_POSITIONS, candidate.maxPositions()))
                        .agrees(cosines, sines))
                .findFirst();
        this.rotaryRecognised = recognised.isPresent();
        this.config = recognised.orElse(unturned);
        collect(decoder);
        requireMetadata("get_n_layers", config.layers());
        requireMetadata("get_vocab_size", config.vocabulary());
        requireMetadata("get_max_seq_len", config.maxPositions());
    }

    /**
     * Opens a program.
     *
     * @param parameters Meta's {@code params.json}, to compare with what the program shows
     * @throws CheckpointException if it is anything else than such a guard, or is damaged, saying where and what
     */
    public static ExecutorchModel open(Path file, Optional<Path> parameters) {
        Optional<LlamaParameters> read = parameters.map(LlamaParameters::read);
        ProgramFile program = ProgramFile.open(file);
        try {
            return new ExecutorchModel(file, program, read);
        } catch (RuntimeException e) {
            program.close();
            throw e;
        }
    }

    /** The decoder's geometry; the longest sequence is that of the file's rotary tables. */
    public LlamaConfig config() {
        return config;
    }

    /** The tokens that the rows of {@link #HEAD} stand for. */
    public List<Integer> tokens() {
        return tokens;
    }

    /** What the program is, in one line for {@code guard.yaml}. */
    public String description() {
        return "ExecuTorch program (dialect %s); methods %s; head of the tokens %s; rotary tables as stored, %s"
                .formatted(
                        program.namesData() ? "1.5" : "0.4",
                        String.join(" ", program.methodNames()),
                        tokens.stream()
                                .map(String::valueOf)
                                .reduce((a, b) -> a + " " + b)
                                .orElseThrow(),
                        rotary());
    }

    private String rotary() {
        if (!rotaryRecognised) {
            return "of an unknown kind";
        }
        return "which are those of theta %.0f".formatted(config.ropeTheta())
                + config.ropeScaling()
                        .map(scaling -> scaling instanceof LlamaConfig.RopeScaling.Llama3 llama3
                                ? " and Llama 3's factor %.0f".formatted(llama3.factor())
                                : "")
                        .orElse(" without a factor");
    }

    @Override
    public List<Path> files() {
        return List.of(file);
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    @Override
    public Optional<Tensor> find(String name) {
        return Optional.ofNullable(tensors.get(name));
    }

    @Override
    public void close() {
        program.close();
    }

    private List<Integer> tokens(Decoder decoder) {
        Method.Value.Array ids = decoder.tokens();
        if (ids.type() != Method.Value.Array.INT64
                || !ids.shape().equals(List.of((long) decoder.head().rows()))
                || decoder.head().rows() > MOST_HEAD_ROWS) {
            throw new CheckpointException("%s: a head of %d rows has token ids of type %d and shape %s"
                    .formatted(program.origin(), decoder.head().rows(), ids.type(), ids.shape()));
        }
        MemorySegment data = program.constant(ids, "the head's token ids");
        List<Integer> found = new ArrayList<>();
        for (int row = 0; row < decoder.head().rows(); row++) {
            long id = data.get(LONG, (long) row * Long.BYTES);
            if (id < 0 || id >= decoder.vocabulary() || id > Integer.MAX_VALUE || found.contains((int) id)) {
                throw new CheckpointException(
                        "%s: row %d of the head stands for token %d, which is not one of %d tokens or has a row already"
                                .formatted(program.origin(), row, id, decoder.vocabulary()));
            }
            found.add((int) id);
        }
        return List.copyOf(found);
    }

    private Tensor table(String name, Method.Value.Array array, Decoder.Shape shape) {
        long positions = array.shape().isEmpty() ? 0 : array.shape().getFirst();
        Tensor table = FloatTensor.of(program, name, array, List.of(positions, shape.headSize() / 2));
        if (positions < Recipe.LEAST_CONTEXT_TOKENS) {
            throw new CheckpointException("%s: its rotary tables are for %d places; at least %d are needed"
                    .formatted(program.origin(), positions, Recipe.LEAST_CONTEXT_TOKENS));
        }
        put(table);
        return table;
    }

    private LlamaConfig config(Decoder decoder, Tensor cosines, Optional<LlamaParameters> parameters) {
        Decoder.Layer first = decoder.layers().getFirst();
        int headSize = Math.toIntExact(decoder.shape().headSize());
        long heads = decoder.shape().heads();
        long keyHeads = decoder.shape().keyHeads();
        if (headSize < 8 || headSize % 8 != 0 || keyHeads < 1 || heads % keyHeads != 0) {
            throw new CheckpointException(
                    "%s: it has %d query heads and %d key heads of %d values; the first must be a multiple of the second, and values one of 8"
                            .formatted(program.origin(), heads, keyHeads, headSize));
        }
        float epsilon = FloatTensor.scalar(
                program, "the last norm's epsilon", decoder.norm().epsilon());
        LlamaConfig found = new LlamaConfig(
                decoder.embedding().columns(),
                decoder.layers().size(),
                Math.toIntExact(heads),
                Math.toIntExact(keyHeads),
                headSize,
                first.gate().rows(),
                decoder.embedding().rows(),
                cosines.rows(),
                parameters.flatMap(LlamaParameters::theta).orElse(THETA),
                Optional.empty(),
                epsilon,
                false);
        if (decoder.vocabulary() != found.vocabulary()) {
            throw new CheckpointException("%s: its embedding has %d tokens, its output %d"
                    .formatted(program.origin(), found.vocabulary(), decoder.vocabulary()));
        }
        parameters.ifPresent(given -> given.requireLike(found, program.origin()));
        return found;
    }

    /** The rotary embeddings that published models have. */
    private static Stream<LlamaConfig> candidates(LlamaConfig config, Optional<LlamaParameters> parameters) {
        Stream<LlamaConfig> scaled = FACTORS.stream()
                .map(factor -> config.withRopeScaling(
                        Optional.of(new LlamaConfig.RopeScaling.Llama3(factor, 1, 4, ORIGINAL_POSITIONS))));
        boolean mayBeScaled = parameters.flatMap(LlamaParameters::scaled).orElse(true);
        return Stream.concat(mayBeScaled ? scaled : Stream.empty(), Stream.of(config));
    }

    private void collect(Decoder decoder) {
        requireGroup(decoder.embedding(), decoder.embedding().group());
        int group = decoder.layers().getFirst().query().group();
        decoder.layers().stream()
                .flatMap(layer -> layer.matrices().stream())
                .forEach(matrix -> requireGroup(matrix, group));
        put(PackedTensor.asStored("model.embed_tokens.weight", decoder.embedding()));
        for (int i = 0; i < decoder.layers().size(); i++) {
            Decoder.Layer layer = decoder.layers().get(i);
            String prefix = "model.layers." + i + ".";
            norm(prefix + "input_layernorm.weight", layer.attentionNorm());
            put(PackedTensor.inHalves(prefix + "self_attn.q_proj.weight", layer.query(), config.headSize()));
            put(PackedTensor.inHalves(prefix + "self_attn.k_proj.weight", layer.key(), config.headSize()));
            put(PackedTensor.asStored(prefix + "self_attn.v_proj.weight", layer.value()));
            put(PackedTensor.asStored(prefix + "self_attn.o_proj.weight", layer.output()));
            norm(prefix + "post_attention_layernorm.weight", layer.mlpNorm());
            put(PackedTensor.asStored(prefix + "mlp.gate_proj.weight", layer.gate()));
            put(PackedTensor.asStored(prefix + "mlp.up_proj.weight", layer.up()));
            put(PackedTensor.asStored(prefix + "mlp.down_proj.weight", layer.down()));
        }
        norm("model.norm.weight", decoder.norm());
        put(PackedTensor.asStored(HEAD, decoder.head()));
    }

    /** What queries, keys and values have to have alike, so that their numbers can be one matrix. */
    private static void requireGroup(QuantisedMatrix matrix, int group) {
        if (matrix.group() != group || !Format.Int4.BLOCK_SIZES.contains(group)) {
            throw new CheckpointException(
                    "%s has a scale for each group of %d columns; groups must be as large as those of the first layer, %d, and that one of %s"
                            .formatted(matrix.name(), matrix.group(), group, Format.Int4.BLOCK_SIZES));
        }
    }

    private void put(Tensor tensor) {
        tensors.put(tensor.name(), tensor);
    }

    private void norm(String name, Decoder.Norm norm) {
        put(FloatTensor.of(program, name, norm.weights(), List.of((long) config.hidden())));
        float epsilon = FloatTensor.scalar(program, "the epsilon of " + name, norm.epsilon());
        if (epsilon != config.normEpsilon()) {
            throw new CheckpointException("%s: the epsilon of %s is %s, that of the last norm %s; all must be the same"
                    .formatted(program.origin(), name, epsilon, config.normEpsilon()));
        }
    }

    private void requireMetadata(String method, int found) {
        program.metadata(method).filter(said -> said != found).ifPresent(said -> {
            throw new CheckpointException("%s: its method '%s' says %d, but the program shows %d"
                    .formatted(program.origin(), method, said, found));
        });
    }
}
