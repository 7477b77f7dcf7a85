package dev.corral.quantization;

import dev.corral.guardmodels.prompt.GuardFamily;
import dev.corral.quantization.checkpoint.Checkpoint;
import dev.corral.quantization.checkpoint.CheckpointException;
import dev.corral.quantization.checkpoint.Tensor;
import dev.corral.quantization.graph.LlamaConfig;
import dev.corral.quantization.graph.MllamaConfig;
import dev.corral.quantization.safetensors.SafetensorsCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a guard is made of, whatever files it lies in. The weights have Hugging Face's names and layout: each head's rows
 * in halves, not in pairs, for the rotary embedding.
 *
 * @param place the file or folder, for messages
 * @param config of the decoder
 * @param eyes of the whole model, where it sees images
 * @param tokenizerJson a Hugging Face {@code tokenizer.json}
 * @param sources all files that were read, whose hashes {@code guard.yaml} tells
 * @param licence what the files say of it
 * @param prunedHead the output layer, where it was cut to a few tokens before
 * @param history what became of the model before, for {@code guard.yaml}
 */
public record Original(
        String place,
        LlamaConfig config,
        Optional<MllamaConfig> eyes,
        String tokenizerJson,
        Checkpoint weights,
        List<Path> sources,
        Optional<String> licence,
        Optional<PrunedHead> prunedHead,
        Optional<String> history)
        implements AutoCloseable {

    static final String TOKENIZER = "tokenizer.json";

    /** The same head where Hugging Face's models for classification keep it. */
    static final String SCORE = "score.weight";

    private static final int LAYERS_OF_8B = 32;

    public Original {
        sources = List.copyOf(sources);
    }

    /** A model that sees no images, with an output layer for its whole vocabulary. */
    public Original(
            String place,
            LlamaConfig config,
            String tokenizerJson,
            Checkpoint weights,
            List<Path> sources,
            Optional<String> licence) {
        this(
                place,
                config,
                Optional.empty(),
                tokenizerJson,
                weights,
                sources,
                licence,
                Optional.empty(),
                Optional.empty());
    }

    /**
     * An output layer that was cut to a few tokens before.
     *
     * @param tokens what its rows stand for
     */
    public record PrunedHead(Tensor matrix, List<Integer> tokens) {

        public PrunedHead {
            tokens = List.copyOf(tokens);
        }
    }

    /**
     * A Hugging Face model folder with safetensors weights.
     *
     * @throws CheckpointException if it is not supported, saying what and why
     */
    @SuppressWarnings("MustBeClosedChecker") // the weights live as long as the original, which closes them
    public static Original huggingFace(Path directory) throws IOException {
        Checkpoint weights = SafetensorsCheckpoint.open(directory);
        try {
            Path tokenizer = directory.resolve(TOKENIZER);
            if (!Files.isRegularFile(tokenizer)) {
                throw new CheckpointException(
                        "%s has no %s: download it from the model's repository".formatted(directory, TOKENIZER));
            }
            List<Path> sources = new ArrayList<>(List.of(directory.resolve("config.json"), tokenizer));
            Optional<MllamaConfig> eyes = MllamaConfig.find(directory);
            if (eyes.isPresent()) {
                sources.add(ImageFiles.require(directory, eyes.get(), tokenizer));
            }
            sources.addAll(weights.files());
            return new Original(
                    directory.toString(),
                    eyes.map(MllamaConfig::text).orElseGet(() -> LlamaConfig.read(directory)),
                    eyes,
                    Files.readString(tokenizer),
                    weights,
                    sources,
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty());
        } catch (IOException | RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    /** The family that the weights are made for, as far as they show it. */
    public GuardFamily family() {
        return family(config, eyes, weights);
    }

    /** The family that weights are made for, as far as they show it. */
    static GuardFamily family(LlamaConfig config, Optional<MllamaConfig> eyes, Checkpoint weights) {
        if (verdictHead(weights).isPresent()) {
            return GuardFamily.CORRAL_STARTER;
        }
        return eyes.isEmpty() && config.layers() == LAYERS_OF_8B
                ? GuardFamily.LLAMA_GUARD_3_8B
                : GuardFamily.LLAMA_GUARD_3;
    }

    /** A head that has rows for the verdict only. */
    static Optional<Tensor> verdictHead(Checkpoint weights) {
        return weights.find(Checkpoint.VERDICT_HEAD).or(() -> weights.find(SCORE));
    }

    @Override
    public void close() {
        weights.close();
    }
}
